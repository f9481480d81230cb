import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** AssemblyScript sources and the WebAssembly modules that they compile to. */
const KERNELS = [{ source: 'src/vision/assembly/bilinear.ts', output: 'dist/vision/bilinear.wasm' }];

/** The page at `/`. The styles are in the order in which they apply. */
const PAGE = {
  source: 'src/playground',
  output: 'dist/playground',
  styles: ['base', 'pictures', 'compare', 'phone'],
};

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
  buildPage();
  for (const { source, output } of KERNELS) {
    if (!isOlder(output, source) && !isOlder(output, 'package-lock.json')) continue;
    const options = ['-O3', '--enable', 'simd', '--runtime', 'stub', '--noAssert'];
    run('assemblyscript/bin/asc.js', source, '--outFile', output, ...options);
  }
}

/** Its modules become one, and so do its styles. The module is written last: its age is that of the page. */
function buildPage() {
  const { source, output, styles } = PAGE;
  const names = readdirSync(root + source, { encoding: 'utf8', recursive: true });
  const sources = [source, ...names.map((name) => join(source, name)), 'package-lock.json'];
  if (!sources.some((path) => isOlder(`${output}/main.js`, path))) return;
  mkdirSync(root + output, { recursive: true });
  copyFileSync(`${root}${source}/view/index.html`, `${root}${output}/index.html`);
  const style = styles.map((name) => readFileSync(`${root}${source}/style/${name}.css`, 'utf8')).join('\n');
  writeFileSync(`${root}${output}/style.css`, style);
  run('vite/bin/vite.js', 'build', '--config', `${source}/vite.config.mjs`);
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
