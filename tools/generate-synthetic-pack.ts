import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  describeSyntheticPack,
  generateSyntheticPack,
  SYNTHETIC_LICENCE,
  SYNTHETIC_PACK_FILES,
} from './synthetic/pack.ts';

// Without options: the committed files of the synthetic pack; `npm run generate` builds dist/ first. With --out: a pack of
// another kind, with a manifest of version 2 that describes it.
//
//   node tools/generate-synthetic-pack.ts --out FOLDER [--embedding-size N] [--input-size N] [--embedded]

const COMMITTED = fileURLToPath(new URL('../models/synthetic/', import.meta.url));

/** Writes the committed files. */
export function writeSyntheticPack() {
  writeFiles(COMMITTED, networkFiles(generateSyntheticPack()));
}

/** Writes a pack that describes itself, and returns its manifest. */
export function writeDescribedPack(folder, options = {}) {
  const pack = generateSyntheticPack(options);
  const manifest = describeSyntheticPack(pack, options);
  writeFiles(folder, {
    ...networkFiles(pack),
    'manifest.json': `${JSON.stringify(manifest, undefined, 2)}\n`,
    [SYNTHETIC_LICENCE.file]: SYNTHETIC_LICENCE.text,
  });
  return manifest;
}

const networkFiles = (pack) =>
  Object.fromEntries(Object.entries(pack).map(([network, bytes]) => [SYNTHETIC_PACK_FILES[network], bytes]));

function writeFiles(folder, files) {
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    writeFileSync(path, content);
    console.log(`${relative('.', path)}: ${content.length} bytes`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      out: { type: 'string' },
      'embedding-size': { type: 'string', default: '512' },
      'input-size': { type: 'string', default: '112' },
      embedded: { type: 'boolean', default: false },
    },
  });
  if (values.out === undefined) writeSyntheticPack();
  else {
    writeDescribedPack(values.out, {
      embeddingSize: Number(values['embedding-size']),
      inputSize: Number(values['input-size']),
      embedded: values.embedded,
    });
  }
}
