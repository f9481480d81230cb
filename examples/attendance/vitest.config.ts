import { defineConfig } from 'vitest/config';

/** No test asserts how fast something is: this only ends what hangs. */
const LIMIT_MS = 300_000;

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['../../test/support/processes/end-with-vitest.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: LIMIT_MS,
    hookTimeout: LIMIT_MS,
  },
});
