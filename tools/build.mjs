import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** AssemblyScript sources and the WebAssembly modules that they compile to. */
const KERNELS = [{ source: 'src/vision/assembly/bilinear.ts', output: 'dist/vision/bilinear.wasm' }];

/**
 * Compiles what has changed. dist/ holds the service as it ships; build/ also holds the benchmark, the study and the tools.
 *
 * This file, run.mjs and dev.mjs are JavaScript because they run before anything is compiled.
 *
 * @param {{ tools?: boolean }} [options] tools: also compile build/.
 */
export function build({ tools = false } = {}) {
  run('typescript/bin/tsc', '-p', 'tsconfig.build.json');
  if (tools) run('typescript/bin/tsc', '-p', 'tsconfig.tools.json');
  for (const { source, output } of KERNELS) {
    if (!isOlder(output, source) && !isOlder(output, 'package-lock.json')) continue;
    const options = ['-O3', '--enable', 'simd', '--runtime', 'stub', '--noAssert'];
    run('assemblyscript/bin/asc.js', source, '--outFile', output, ...options);
  }
}

/** Whether dist/ holds a compiled service. */
export function isBuilt() {
  return existsSync(`${root}dist/main.js`);
}

/**
 * @param {string} compiler path below node_modules/.
 * @param {string[]} args
 */
function run(compiler, ...args) {
  const { status } = spawnSync(process.execPath, [`${root}node_modules/${compiler}`, ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(1);
}

/**
 * @param {string} output
 * @param {string} source
 */
function isOlder(output, source) {
  /** @param {string} path */
  const changed = (path) => statSync(root + path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return changed(output) < changed(source);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) build({ tools: process.argv.includes('--tools') });
