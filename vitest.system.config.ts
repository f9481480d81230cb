import { defineConfig } from 'vitest/config';
import { common, PROGRAMS, WORKERS } from './vitest.config.ts';

/** Programs that take half a minute or more start first, so that none runs on alone at the end. */
const LONG = [
  'test/accuracy/lfw.test.ts',
  'test/bench/run.test.ts',
  'test/documents/commands.test.ts',
  'test/system/pages/docs.test.ts',
  ...['calibrate', 'memory-need', 'quantise', 'webgpu'].map((name) => `test/system/${name}.test.ts`),
];

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
const programs = { ...patient, maxWorkers: WORKERS, sequence: { groupOrder: 1 } };

/**
 * `npm run test:system`: whole programs side by side, because each waits for others half of its time; then the service under load,
 * with hostile clients and behind a balancer, one file at a time.
 */
export default defineConfig({
  test: {
    projects: [
      // Vitest takes projects of a group in the order of their names.
      { test: { ...programs, name: 'long', include: LONG } },
      {
        test: {
          ...programs,
          name: 'programs',
          include: ['test/system/**/*.test.ts', ...PROGRAMS],
          exclude: [...UNDER_LOAD, ...LONG],
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
