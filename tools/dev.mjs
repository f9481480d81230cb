import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';

// The compiler rebuilds what changes; Node restarts the service whenever dist/ does.
build();
const cwd = fileURLToPath(new URL('..', import.meta.url));
/** @param {string[]} args */
const run = (...args) => spawn(process.execPath, args, { cwd, stdio: 'inherit' });
const children = [
  run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--watch', '--preserveWatchOutput'),
  run('--watch-path=dist', 'dist/main.cjs'),
];
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
