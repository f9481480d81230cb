import { describe, expect, it } from 'vitest';
import { imagesAtOnce } from '../../src/config/concurrency.ts';
import { concurrencyOf } from '../../src/engine/concurrency.ts';
import { testConfig } from '../support/engine/engines.ts';

describe('concurrencyOf', () => {
  it('gives a CPU worker one image and no batches, whatever BATCH_WINDOW_MS is', () => {
    const config = testConfig({ WORKERS: '3', BATCH_WINDOW_MS: '5' });
    expect(concurrencyOf(config)).toEqual({ imagesPerWorker: 1 });
    expect(imagesAtOnce(config)).toBe(3);
  });

  it.each(['cuda', 'webgpu', 'coreml'])(
    'gives a worker of %s several images, whose faces wait up to BATCH_WINDOW_MS for a batch',
    (DEVICE) => {
      const config = testConfig({ WORKERS: '1', DEVICE, BATCH_WINDOW_MS: '5' });
      const { imagesPerWorker, batching } = concurrencyOf(config);
      expect(imagesPerWorker).toBeGreaterThan(1);
      expect(batching).toMatchObject({ windowMs: 5 });
      // Runs are padded to a power of two, so a limit that is not one could never be used in full.
      expect(Math.log2(batching?.maxFaces ?? 0) % 1).toBe(0);
      expect(imagesAtOnce(config)).toBe(imagesPerWorker);
      expect(imagesAtOnce(testConfig({ WORKERS: '3', DEVICE: 'cuda' }))).toBe(3 * imagesPerWorker);
    },
  );
});
