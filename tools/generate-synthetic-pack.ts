// Writes the committed files of the synthetic pack, or with --out a variant of the pack with its manifest:
//
//   node tools/run.mjs build/tools/generate-synthetic-pack.js --out FOLDER [--embedding-size N] [--input-size N] [--embedded]

import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { PACKAGE_ROOT } from '../src/config/package.ts';
import {
  describeSyntheticPack,
  generateSyntheticPack,
  SYNTHETIC_LICENCE,
  SYNTHETIC_PACK_FILES,
  type SyntheticPack,
  type SyntheticPackOptions,
} from './synthetic/pack.ts';

type Files = Record<string, string | Uint8Array>;

const COMMITTED_PACK = fileURLToPath(new URL('models/synthetic/', PACKAGE_ROOT));

export function writeSyntheticPack(): void {
  writeFiles(COMMITTED_PACK, networkFiles(generateSyntheticPack()));
}

/** Writes a variant of the pack with a version-2 manifest that describes it. */
export function writePackWithManifest(folder: string, options: SyntheticPackOptions = {}): void {
  const pack = generateSyntheticPack(options);
  writeFiles(folder, {
    ...networkFiles(pack),
    'manifest.json': `${JSON.stringify(describeSyntheticPack(pack, options), undefined, 2)}\n`,
    [SYNTHETIC_LICENCE.file]: SYNTHETIC_LICENCE.text,
  });
}

function networkFiles({ detector, recogniser }: SyntheticPack): Files {
  return { [SYNTHETIC_PACK_FILES.detector]: detector, [SYNTHETIC_PACK_FILES.recogniser]: recogniser };
}

function writeFiles(folder: string, files: Files): void {
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
    writePackWithManifest(values.out, {
      embeddingSize: Number(values['embedding-size']),
      inputSize: Number(values['input-size']),
      embedded: values.embedded,
    });
  }
}
