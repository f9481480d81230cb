// Compiles what has changed, then runs a compiled file in this process:
//
//   node tools/run.mjs <dist/... or build/... file> [arguments for it]

import { pathToFileURL } from 'node:url';
import { build, isBuilt } from './build.mjs';

const [file = ''] = process.argv.splice(2, 1);
if (process.stdout.isTTY)
  console.log(isBuilt() ? 'Checking the build …' : 'Building the service for the first time …');
build({ tools: file.startsWith('build/') });
// As if Node had been started with the file.
process.argv[1] = new URL(`../${file}`, import.meta.url).pathname;
await import(pathToFileURL(process.argv[1]).href);
