import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // npm run test:system
    exclude: ['test/system/**'],
    // Worker threads run the built files.
    globalSetup: ['test/support/build.ts'],
    pool: 'forks',
    // Tests also run ONNX Runtime on their own main thread; see src/engine/inference-engine.ts.
    env: { ORT_DISABLE_TELEMETRY: '1' },
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
