import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** No test asserts how fast something is. These limits only end what hangs, also on a machine that is busy with other work. */
const LIMIT_MS = 120_000;

/**
 * Whole programs that take long and whose own parts have tests, and accuracy of more than the path of a photograph, which golden.test.ts
 * and golden-open.test.ts measure: they run with `npm run test:system`.
 */
export const PROGRAMS = [
  ...[
    'batch',
    'batched-faces',
    'examples',
    'formats',
    'fusion',
    'lfw',
    'liveness',
    'orientation',
    'quality',
  ].map((name) => `test/accuracy/${name}.test.ts`),
  'test/bench/run.test.ts',
  'test/cli/calibrate/end-to-end.test.ts',
  'test/cli/calibrate/liveness-end-to-end.test.ts',
  'test/cli/calibrate/resilience.test.ts',
  'test/documents/commands.test.ts',
  'test/json/hostile-bodies.test.ts',
  'test/packs/described-packs.test.ts',
  'test/packs/open-pack.test.ts',
  'test/packs/rfb-pack.test.ts',
  'test/packs/thresholds.test.ts',
  'test/vision/prepared/prepared-pack.test.ts',
];

/** Files at a time. Tests wait more than they compute. */
export const WORKERS = Math.ceil(1.5 * availableParallelism());

export const common = {
  // Compiles what has changed.
  globalSetup: ['test/support/processes/build.ts'],
  setupFiles: ['test/support/processes/end-with-vitest.ts'],
  pool: 'forks' as const,
  // Tests also run ONNX Runtime on their own main thread; see src/engine/inference-engine.ts.
  env: { ORT_DISABLE_TELEMETRY: '1' },
  testTimeout: LIMIT_MS,
  hookTimeout: LIMIT_MS,
  expect: { poll: { timeout: LIMIT_MS / 2 } },
};

/**
 * Files that need a process of their own: they replace clocks, functions or variables of the whole process, measure its memory, or fill
 * it with real weights.
 */
const OWN_PROCESS = [
  'test/accuracy/**/*.test.ts',
  // The service's decoder takes SVG, which it reads, from the whole process.
  'test/tools/example-pictures.test.ts',
  ...filesThat(/\bvi\.(?!wait)|process\.memoryUsage|globalThis/),
];

/**
 * `npm test`: files that share processes, and those that have their own. A process for each file would start Node and import everything
 * anew, which takes half a second of computing; what most files import keeps no state that one could leave to the next.
 *
 * @param excluded what to leave out.
 */
export function unitTests(excluded: readonly string[] = []) {
  const unit = { ...common, maxWorkers: WORKERS };
  // npm run test:system, npm run test:soak
  const exclude = ['test/system/**', 'test/soak/**', ...PROGRAMS, ...excluded];
  // A file is in exactly one of them: the second excludes what the first includes.
  return [
    { test: { ...unit, name: 'alone', include: OWN_PROCESS, exclude } },
    {
      test: {
        ...unit,
        name: 'shared',
        isolate: false,
        setupFiles: [...common.setupFiles, 'test/support/processes/leaves-nothing.ts'],
        include: ['test/**/*.test.ts'],
        exclude: [...exclude, ...OWN_PROCESS],
      },
    },
  ];
}

export default defineConfig({ test: { projects: unitTests() } });

/** @returns the files of tests whose text matches, relative to the root. */
function filesThat(match: RegExp): string[] {
  const folder = join(import.meta.dirname, 'test');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && match.test(readFileSync(join(folder, name), 'utf8')))
    .map((name) => `test/${name}`);
}
