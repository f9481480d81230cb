import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildIfNeeded } from './build.mjs';

// Writes everything that is generated and committed; test/tools/documents.test.ts fails when any of it is out of date.
buildIfNeeded();
const { renderEnvExample, updateReadme } = await import('./documents.ts');
const root = fileURLToPath(new URL('..', import.meta.url));
writeFileSync(`${root}.env.example`, renderEnvExample());
writeFileSync(`${root}README.md`, updateReadme(readFileSync(`${root}README.md`, 'utf8')));
const { writeSyntheticPack } = await import('./generate-synthetic-pack.ts');
writeSyntheticPack();
