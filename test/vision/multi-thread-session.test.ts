import * as ort from 'onnxruntime-node';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { resolvePack } from '../../src/packs/resolve.ts';
import { loadNetworks, type Networks } from '../../src/vision/networks.ts';
import { embedFaces } from '../../src/vision/pipeline.ts';
import { ALL_FACES } from '../support/engine/embed-options.ts';
import { watchRuns } from '../support/engine/inference-runs.ts';
import { blobsPng } from '../support/pictures.ts';
import { goldenImages, hasRealWeights, MODELS, photo } from '../support/shared.ts';

const load = async (loneRequestThreads: number, pack = 'synthetic'): Promise<Networks> =>
  loadNetworks({
    pack: await resolvePack({ name: pack, modelsDir: MODELS }),
    device: 'cpu',
    intraOpThreads: 1,
    loneRequestThreads,
    detectionSizes: [128, 640],
    rewrites: true,
  });

async function embedBothWays(picture: Uint8Array<ArrayBuffer>, networks: Networks) {
  const { timings: _, ...idle } = await embedFaces(picture, ALL_FACES, networks, { coresIdle: true });
  const { timings: __, ...busy } = await embedFaces(picture, ALL_FACES, networks);
  return { idle, busy };
}

describe('a picture processed while the cores are idle', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each([
    [2, [1, 1, 2, 2]],
    [1, [1, 1]],
  ])(
    'gets sessions with %i threads if these are more than the intra-op threads',
    async (loneRequestThreads, threads) => {
      const create = vi.spyOn(ort.InferenceSession, 'create');
      await load(loneRequestThreads);
      const options = create.mock.calls.map(([, given]) => given as ort.InferenceSession.SessionOptions);
      expect(options.map(({ intraOpNumThreads }) => intraOpNumThreads).toSorted()).toEqual(threads);
    },
  );

  it('uses these sessions except for the small detector input, and no other picture does', async () => {
    const networks = await load(2);
    const picture = await blobsPng(3);
    const watch = watchRuns();
    try {
      await embedFaces(picture, ALL_FACES, networks);
      const busyRuns = watch.runs.splice(0);
      await embedFaces(picture, ALL_FACES, networks, { coresIdle: true });
      expect(watch.runs.map(({ input }) => input.dims)).toEqual(busyRuns.map(({ input }) => input.dims));
      const isSame = watch.runs.map(({ session }, index) => session === busyRuns[index]?.session);
      expect(isSame).toEqual([true, ...isSame.slice(1).fill(false)]);
      expect(isSame.length).toBeGreaterThan(2);
    } finally {
      watch.stop();
    }
  });

  it('gets the same result as under load, to the bit', async () => {
    const networks = await load(2);
    for (let seed = 0; seed < 5; seed++) {
      const { idle, busy } = await embedBothWays(await blobsPng(seed), networks);
      expect(idle).toEqual(busy);
      expect(idle.faces.length).toBeGreaterThan(0);
    }
  });

  it.skipIf(!hasRealWeights)('gets the same result with real weights and photographs', async () => {
    const networks = await load(2, 'buffalo_sc_dq');
    let faces = 0;
    for (const { file } of goldenImages().filter((_, index) => index % 10 === 0)) {
      const { idle, busy } = await embedBothWays(photo(file), networks);
      expect(idle, file).toEqual(busy);
      faces += idle.faces.length;
    }
    expect(faces).toBeGreaterThan(10);
  });
});
