import { defineConfig } from 'vitest/config';
import { common, PROGRAMS } from './vitest.config.ts';

/** Tests of the service under load: their limits hold on a machine that does nothing else. */
const UNDER_LOAD = [
  'balancer',
  'clients/overload',
  'compare-load',
  'hostile-clients',
  'memory',
  'overload',
].map((name) => `test/system/${name}.test.ts`);

const patient = { ...common, testTimeout: 300_000 };

/**
 * `npm run test:system`: whole programs, two at a time, because each waits for others half of its time; then the service under
 * load, with hostile clients and behind a balancer, one file at a time.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...patient,
          name: 'programs',
          include: ['test/system/**/*.test.ts', ...PROGRAMS],
          exclude: UNDER_LOAD,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...patient,
          name: 'load',
          include: UNDER_LOAD,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
