import { beforeAll, describe, expect, it } from 'vitest';
import { HIGHEST_MAX_FACES } from '../../../src/config/settings.ts';
import { resolvePack } from '../../../src/packs/resolve.ts';
import { MAX_CANDIDATES } from '../../../src/vision/detect/candidates.ts';
import type { FaceDetector } from '../../../src/vision/detect/face-detector.ts';
import { DenseHead } from '../../../src/vision/detect/scrfd/heads.ts';
import { loadNetworks } from '../../../src/vision/networks.ts';
import { seededRandom } from '../../support/numbers.ts';

/** Noise: every place has some score. */
const random = seededRandom(2);
const picture = {
  data: Uint8Array.from({ length: 640 * 640 * 3 }, () => Math.floor(random() * 256)),
  width: 640,
  height: 640,
};

let detector: FaceDetector;
/** Boxes that have been computed. */
let boxes = 0;

beforeAll(async () => {
  const pack = await resolvePack({ name: 'synthetic', modelsDir: '' });
  const sizes = { detectionSizes: [128, 640], intraOpThreads: 1, loneRequestThreads: 1 };
  ({ detector } = await loadNetworks({ pack, device: 'cpu', rewrites: true, ...sizes }));
  const { boxOf } = DenseHead.prototype;
  DenseHead.prototype.boxOf = function (anchor) {
    boxes++;
    return boxOf.call(this, anchor);
  };
});

describe('a search at a threshold of 0, where every place of the picture is a candidate', () => {
  it('looks at a bounded number of them, and finds a bounded number of faces', async () => {
    boxes = 0;
    const faces = await detector.detectFaces(picture, 0);
    expect(faces.length).toBeLessThanOrEqual(HIGHEST_MAX_FACES);
    // Once for each input size, since the candidates of the smaller one are known when the larger one adds its own.
    expect(boxes).toBeGreaterThan(0);
    expect(boxes).toBeLessThanOrEqual(2 * MAX_CANDIDATES);
  });

  it('finds the faces that a higher threshold finds, first', async () => {
    const all = await detector.detectFaces(picture, 0);
    const threshold = all[Math.floor(all.length / 2)]?.score as number;
    const few = await detector.detectFaces(picture, threshold);
    expect(few.length).toBeGreaterThan(0);
    expect(all.slice(0, few.length)).toEqual(few);
  });
});
