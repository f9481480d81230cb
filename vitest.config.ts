import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** No test asserts how fast something is. These limits only end what hangs, also on a machine that is busy with other work. */
const LIMIT_MS = 120_000;

/**
 * Whole programs that take long and whose own parts have tests, and accuracy of more than the path of a photograph, which golden.test.ts
 * and lfw.test.ts measure: they run with `npm run test:system`.
 */
export const PROGRAMS = [
  ...['batch', 'batched-faces', 'examples', 'formats', 'fusion', 'liveness', 'orientation', 'quality'].map(
    (name) => `test/accuracy/${name}.test.ts`,
  ),
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

export default defineConfig({
  test: {
    ...common,
    include: ['test/**/*.test.ts'],
    // npm run test:system, npm run test:soak
    exclude: ['test/system/**', 'test/soak/**', ...PROGRAMS],
    // Tests wait more than they compute.
    maxWorkers: Math.ceil(1.5 * availableParallelism()),
  },
});
