import { beforeAll, describe, expect, it } from 'vitest';
import { resolvePack } from '../../src/packs/resolve.ts';
import { loadNetworks, type NetworkOptions } from '../../src/vision/networks.ts';
import { type EmbedResult, embedFaces } from '../../src/vision/pipeline.ts';
import { watchRecogniserRuns } from '../support/inference-runs.ts';
import { cosine } from '../support/numbers.ts';
import { goldenImages, hasRealWeights, MODELS, photo } from '../support/shared.ts';

const WANTED = {
  selection: 'all',
  detection: 'full',
  detectionThreshold: 0.5,
  maxFaces: 100,
  maxPixels: 50_000_000,
  quality: true,
} as const;

/** What is done for a GPU, on the CPU: it gains nothing there, and must compute the same. */
describe.skipIf(!hasRealWeights)('faces recognised in batches, with real weights', () => {
  let files: string[];
  let wanted: EmbedResult[];
  let batched: EmbedResult[];
  let runs: number[];

  beforeAll(async () => {
    // Here and not above, which is run where they are not at hand, too.
    files = goldenImages()
      .filter(({ faces }, index) => index % 10 === 0 || faces.length > 3)
      .map(({ file }) => file);
    const options: NetworkOptions = {
      pack: await resolvePack({ name: 'buffalo_sc_dq', modelsDir: MODELS }),
      device: 'cpu',
      intraOpThreads: 1,
      loneThreads: 1,
      detectionSizes: [128, 640],
      rewrites: true,
    };
    const plain = await loadNetworks(options);
    wanted = [];
    for (const file of files) wanted.push(await embedFaces(photo(file), WANTED, plain));
    const networks = await loadNetworks({ ...options, batching: { windowMs: 100, most: 8 } });
    expect(networks.recogniser.facesPerRun).toBe(8);
    const watch = watchRecogniserRuns();
    batched = await Promise.all(files.map((file) => embedFaces(photo(file), WANTED, networks)));
    watch.stop();
    runs = watch.rows;
  });

  it('are those of their own photographs, at the same places and of the same quality', () => {
    const told = (results: EmbedResult[]) =>
      results.map(({ image, faces }) => [
        image,
        faces.map(({ box, score, quality }) => ({ box, score, brightness: quality?.brightness })),
      ]);
    expect(told(batched)).toEqual(told(wanted));
  });

  it('have the same embeddings', () => {
    const cosines = batched.flatMap(({ faces }, image) =>
      faces.map(({ embedding }, face) => cosine(embedding, wanted[image]?.faces[face]?.embedding ?? [])),
    );
    console.log(
      `${files.length} photographs, ${cosines.length} faces in runs of ${runs.join(', ')}: ` +
        `least cosine 1 - ${(1 - Math.min(...cosines)).toExponential(1)}`,
    );
    expect(cosines.length).toBeGreaterThan(20);
    expect(runs.length).toBeLessThan(cosines.length / 2);
    expect(Math.max(...runs)).toBe(8);
    expect(Math.min(...cosines)).toBeGreaterThan(1 - 1e-6);
  });
});
