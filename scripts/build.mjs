import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Kernels that run on the processor's vector unit, compiled from AssemblyScript. */
const KERNELS = { 'src/vision/assembly/bilinear.ts': 'dist/vision/bilinear.wasm' };

/**
 * Brings dist/ up to date. The compilers do only what is needed, so this costs little when nothing changed; where they
 * are not installed (a production image), what was built before is used.
 */
export function buildIfNeeded() {
  if (!existsSync(`${root}node_modules/typescript`)) return;
  run('typescript/bin/tsc', '-p', 'tsconfig.build.json');
  for (const [source, output] of Object.entries(KERNELS)) {
    if (!isOlder(output, source) && !isOlder(output, 'package-lock.json')) continue;
    const options = ['-O3', '--enable', 'simd', '--runtime', 'stub', '--noAssert'];
    run('assemblyscript/bin/asc.js', source, '--outFile', output, ...options);
  }
}

function run(compiler, ...args) {
  const { status } = spawnSync(process.execPath, [`${root}node_modules/${compiler}`, ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(1);
}

function isOlder(output, source) {
  const changed = (path) => statSync(root + path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return changed(output) < changed(source);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) buildIfNeeded();
