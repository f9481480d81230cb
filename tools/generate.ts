// Writes all files that are generated and committed. Tests in test/tools/ fail when one is out of date.

import { readFileSync, writeFileSync } from 'node:fs';
import { PACKAGE_ROOT } from '../src/config/package.ts';
import { GENERATED_DOCUMENTS } from './documents/documents.ts';
import { writeSyntheticPack } from './generate-synthetic-pack.ts';

for (const [path, update] of Object.entries(GENERATED_DOCUMENTS)) {
  const file = new URL(path, PACKAGE_ROOT);
  writeFileSync(file, update(readFileSync(file, 'utf8')));
}
writeSyntheticPack();
