import { defineConfig } from 'vitest/config';
import { common, PROGRAMS } from './vitest.config.ts';

/**
 * `npm run test:system`: the service under load, with hostile clients and behind a balancer, and whole programs. One file at a
 * time.
 */
export default defineConfig({
  test: {
    ...common,
    include: ['test/system/**/*.test.ts', ...PROGRAMS],
    fileParallelism: false,
    testTimeout: 300_000,
  },
});
