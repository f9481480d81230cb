import { defineConfig } from 'vitest/config';

/** `npm run test:system`: what takes long or measures. One file at a time, so that figures mean something. */
export default defineConfig({
  test: {
    include: ['test/system/**/*.test.ts'],
    globalSetup: ['test/support/build.ts'],
    pool: 'forks',
    // Tests also run ONNX Runtime on their own main thread; see src/engine/inference-engine.ts.
    env: { ORT_DISABLE_TELEMETRY: '1' },
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 60_000,
  },
});
