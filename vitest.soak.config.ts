import { defineConfig } from 'vitest/config';
import { common } from './vitest.config.ts';

/** `npm run test:soak`: figures under long load. They need an otherwise idle machine, so CI does not run them. */
export default defineConfig({
  test: {
    ...common,
    include: ['test/soak/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 900_000,
    hookTimeout: 900_000,
  },
});
