import { spawn } from 'node:child_process';
import { watch } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';

// The compiler rebuilds what changes; Node restarts the service whenever dist/ does.
build();
const cwd = fileURLToPath(new URL('..', import.meta.url));
/** @param {string[]} args */
const run = (...args) => spawn(process.execPath, args, { cwd, stdio: 'inherit' });
/** @type {NodeJS.Timeout | undefined} */
let changed;
const children = [
  run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--watch', '--preserveWatchOutput'),
  run('--watch-path=dist', 'dist/main.cjs'),
];
// The page is no part of that compilation.
watch(`${cwd}/src/playground`, { recursive: true }, () => {
  clearTimeout(changed);
  changed = setTimeout(() => run('tools/build.mjs'), 200);
});
for (const child of children) {
  child.on('exit', () => {
    for (const other of children) other.kill();
  });
}
// A terminal sends Ctrl-C to the children itself; a second SIGINT would kill the service.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {
  for (const child of children) child.kill('SIGTERM');
});
