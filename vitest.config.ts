import { defineConfig } from 'vitest/config';

/** No test asserts how fast something is. These limits only end what hangs, also on a machine that is busy with other work. */
const LIMIT_MS = 120_000;

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
    exclude: ['test/system/**', 'test/soak/**'],
    // Tests wait more than they compute; the default leaves one core to Vitest itself.
    maxWorkers: '100%',
  },
});
