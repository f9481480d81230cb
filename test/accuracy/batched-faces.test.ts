import { beforeAll, describe, expect, it } from 'vitest';
import { resolvePack } from '../../src/packs/resolve.ts';
import { loadNetworks, type NetworkOptions } from '../../src/vision/networks.ts';
import { type EmbedResult, embedFaces } from '../../src/vision/pipeline.ts';
import { watchRecogniserRuns } from '../support/engine/inference-runs.ts';
import { cosine } from '../support/numbers.ts';
import { goldenImages, hasRealWeights, MODELS, photo } from '../support/shared.ts';

const OPTIONS = {
  selection: 'all',
  detection: 'full',
  detectionThreshold: 0.5,
  maxFaces: 100,
  maxPixels: 50_000_000,
  quality: true,
} as const;

/** Batching as for a GPU, on the CPU, where it is not faster but must compute the same. */
describe.skipIf(!hasRealWeights)('faces recognised in batches, with real weights', () => {
  let files: string[];
  let expected: EmbedResult[];
  let batched: EmbedResult[];
  let runs: number[];

  beforeAll(async () => {
    // Not in the describe block, which runs even if the photographs are missing.
    files = goldenImages()
      .filter(({ faces }, index) => index % 10 === 0 || faces.length > 3)
      .map(({ file }) => file);
    const options: NetworkOptions = {
      pack: await resolvePack({ name: 'buffalo_sc_dq', modelsDir: MODELS }),
      device: 'cpu',
      intraOpThreads: 1,
      loneRequestThreads: 1,
      detectionSizes: [128, 640],
      rewrites: true,
    };
    const plain = await loadNetworks(options);
    expected = [];
    for (const file of files) expected.push(await embedFaces(photo(file), OPTIONS, plain));
    const networks = await loadNetworks({ ...options, batching: { windowMs: 100, maxFaces: 8 } });
    expect(networks.recogniser.facesPerRun).toBe(8);
    const watch = watchRecogniserRuns();
    batched = await Promise.all(files.map((file) => embedFaces(photo(file), OPTIONS, networks)));
    watch.stop();
    runs = watch.rows;
  });

  it('have the same places and quality as one by one', () => {
    const placesAndQuality = (results: EmbedResult[]) =>
      results.map(({ image, faces }) => [
        image,
        faces.map(({ box, score, quality }) => ({ box, score, brightness: quality?.brightness })),
      ]);
    expect(placesAndQuality(batched)).toEqual(placesAndQuality(expected));
  });

  it('have the same embeddings as one by one', () => {
    const cosines = batched.flatMap(({ faces }, image) =>
      faces.map(({ embedding }, face) => cosine(embedding, expected[image]?.faces[face]?.embedding ?? [])),
    );
    console.log(
      `${files.length} photographs, ${cosines.length} faces in runs of ${runs.join(', ')}: ` +
        `minimum cosine 1 - ${(1 - Math.min(...cosines)).toExponential(1)}`,
    );
    expect(cosines.length).toBeGreaterThan(20);
    expect(runs.length).toBeLessThan(cosines.length / 2);
    expect(Math.max(...runs)).toBe(8);
    expect(Math.min(...cosines)).toBeGreaterThan(1 - 1e-6);
  });
});
