import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { generateSyntheticPack, SYNTHETIC_PACK_FILES } from '../dist/models/synthetic-pack.js';

/** Writes the committed files of the synthetic pack; `npm run generate` builds dist/ first. */
export function writeSyntheticPack() {
  const folder = fileURLToPath(new URL('../models/synthetic/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  for (const [network, bytes] of Object.entries(generateSyntheticPack())) {
    writeFileSync(folder + SYNTHETIC_PACK_FILES[network], bytes);
    console.log(`models/synthetic/${SYNTHETIC_PACK_FILES[network]}: ${bytes.length} bytes`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeSyntheticPack();
