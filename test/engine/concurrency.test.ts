import { describe, expect, it } from 'vitest';
import { imagesAtOnce } from '../../src/config/concurrency.ts';
import { concurrencyOf } from '../../src/engine/concurrency.ts';
import { testConfig } from '../support/engines.ts';

describe('what a worker has at work at one time', () => {
  it('is one image on a CPU, without batches, whatever the window', () => {
    const config = testConfig({ WORKERS: '3', BATCH_WINDOW_MS: '5' });
    expect(concurrencyOf(config)).toEqual({ imagesPerWorker: 1 });
    expect(imagesAtOnce(config)).toBe(3);
  });

  it('is several on a GPU, whose faces wait for each other as long as the window says', () => {
    const config = testConfig({ WORKERS: '3', DEVICE: 'cuda', BATCH_WINDOW_MS: '5' });
    const { imagesPerWorker, batching } = concurrencyOf(config);
    expect(imagesPerWorker).toBeGreaterThan(1);
    expect(batching).toMatchObject({ windowMs: 5 });
    // Else a run would never have as many faces as it may have, or have to be filled up to an odd size.
    expect(Math.log2(batching?.most ?? 0) % 1).toBe(0);
    expect(imagesAtOnce(config)).toBe(3 * imagesPerWorker);
  });
});
