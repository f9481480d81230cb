import * as ort from 'onnxruntime-node';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { resolvePack } from '../../src/packs/resolve.ts';
import { loadNetworks, type Networks } from '../../src/vision/networks.ts';
import { embedFaces } from '../../src/vision/pipeline.ts';
import { watchRuns } from '../support/inference-runs.ts';
import { blobsPng } from '../support/pictures.ts';
import { goldenImages, hasRealWeights, MODELS, photo } from '../support/shared.ts';

const WANTED = {
  selection: 'all',
  detection: 'full',
  detectionThreshold: 0.5,
  maxFaces: 100,
  maxPixels: 10_000_000,
} as const;

const load = async (loneThreads: number, pack = 'synthetic'): Promise<Networks> =>
  loadNetworks({
    pack: await resolvePack({ name: pack, modelsDir: MODELS }),
    device: 'cpu',
    intraOpThreads: 1,
    loneThreads,
    detectionSizes: [128, 640],
    rewrites: true,
  });

async function answers(picture: Uint8Array<ArrayBuffer>, networks: Networks) {
  const { timings: _, ...alone } = await embedFaces(picture, WANTED, networks, { alone: true });
  const { timings: __, ...amongOthers } = await embedFaces(picture, WANTED, networks);
  return { alone, amongOthers };
}

describe('a picture alone', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each([
    [2, [1, 1, 2, 2]],
    [1, [1, 1]],
  ])(
    'has networks of its own on %i threads, if those are more than the others have',
    async (lone, threads) => {
      const create = vi.spyOn(ort.InferenceSession, 'create');
      await load(lone);
      const options = create.mock.calls.map(([, given]) => given as ort.InferenceSession.SessionOptions);
      expect(options.map(({ intraOpNumThreads }) => intraOpNumThreads).toSorted()).toEqual(threads);
    },
  );

  it('goes through them but for the small detector input, and no other picture does', async () => {
    const networks = await load(2);
    const picture = await blobsPng(3);
    const watch = watchRuns();
    try {
      await embedFaces(picture, WANTED, networks);
      const ordinary = watch.runs.splice(0);
      await embedFaces(picture, WANTED, networks, { alone: true });
      expect(watch.runs.map(({ input }) => input.dims)).toEqual(ordinary.map(({ input }) => input.dims));
      const isSame = watch.runs.map(({ session }, index) => session === ordinary[index]?.session);
      expect(isSame).toEqual([true, ...isSame.slice(1).fill(false)]);
      expect(isSame.length).toBeGreaterThan(2);
    } finally {
      watch.stop();
    }
  });

  it('has the answer that it has among others, to the bit', async () => {
    const networks = await load(2);
    for (let seed = 0; seed < 5; seed++) {
      const { alone, amongOthers } = await answers(await blobsPng(seed), networks);
      expect(alone).toEqual(amongOthers);
      expect(alone.faces.length).toBeGreaterThan(0);
    }
  });

  it.skipIf(!hasRealWeights)('has it with real weights and photographs, too', async () => {
    const networks = await load(2, 'buffalo_sc_dq');
    let faces = 0;
    for (const { file } of goldenImages().filter((_, index) => index % 10 === 0)) {
      const { alone, amongOthers } = await answers(photo(file), networks);
      expect(alone, file).toEqual(amongOthers);
      faces += alone.faces.length;
    }
    expect(faces).toBeGreaterThan(10);
  });
});
