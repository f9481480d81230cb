import * as ort from 'onnxruntime-node';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Graph, writeModel } from '../../src/onnx/writer.ts';
import { RECOGNISER_PREPROCESSING } from '../../src/packs/pack.ts';
import { resolvePack } from '../../src/packs/resolve.ts';
import { loadNetworks, type Networks } from '../../src/vision/networks.ts';
import { type EmbedResult, embedFaces } from '../../src/vision/pipeline.ts';
import { FaceRecogniser } from '../../src/vision/recognise/recogniser.ts';
import { GraphBuilder } from '../../tools/graph-builder.ts';
import { syntheticRecogniser } from '../../tools/synthetic/recogniser.ts';
import { watchRecogniserRuns } from '../support/inference-runs.ts';
import { cosine } from '../support/numbers.ts';
import { blankPng, blobsPng } from '../support/pictures.ts';

const WANTED = {
  selection: 'single',
  detection: 'full',
  detectionThreshold: 0.5,
  maxFaces: 100,
  maxPixels: 1_000_000,
} as const;
/** Long, so that a busy machine makes no smaller batches. */
const WINDOW_MS = 300;

async function load(batching?: { windowMs: number; most: number }): Promise<Networks> {
  return loadNetworks({
    pack: await resolvePack({ name: 'synthetic', modelsDir: '' }),
    device: 'cpu',
    intraOpThreads: 1,
    loneThreads: 1,
    detectionSizes: [128, 640],
    rewrites: true,
    ...(batching && { batching }),
  });
}

const embeddingOf = ({ faces }: EmbedResult) => faces[0]?.embedding as Float32Array;

describe('several pictures in the hands of one worker', () => {
  let watch: ReturnType<typeof watchRecogniserRuns> | undefined;
  let pictures: Uint8Array<ArrayBuffer>[];
  /** Of each picture, one after the other without batches. */
  let wanted: EmbedResult[];
  let networks: Networks;

  beforeAll(async () => {
    // Of many shapes, so that what one leaves in the detector's input would show in the next.
    pictures = await Promise.all(
      Array.from({ length: 12 }, (_, seed) => blobsPng(seed, 200 + 40 * (seed % 5), 300 - 30 * (seed % 7))),
    );
    const plain = await load();
    wanted = [];
    for (const picture of pictures) wanted.push(await embedFaces(picture, WANTED, plain));
    networks = await load({ windowMs: WINDOW_MS, most: 4 });
  });
  afterEach(() => watch?.stop());

  it('get their own faces, whose embeddings are those that they have one by one', async () => {
    watch = watchRecogniserRuns();
    const results = await Promise.all(pictures.map((picture) => embedFaces(picture, WANTED, networks)));
    for (const [index, { image, faces }] of results.entries()) {
      const [face] = faces;
      const [same] = wanted[index]?.faces ?? [];
      expect(image).toEqual(wanted[index]?.image);
      expect(face).toMatchObject({ box: same?.box, score: same?.score, landmarks: same?.landmarks });
      expect(cosine(face?.embedding ?? [], same?.embedding ?? [])).toBeGreaterThan(1 - 1e-6);
    }
    // No two pictures are so alike that an answer to the wrong one could pass.
    for (const [index, result] of results.entries())
      for (const other of wanted.slice(index + 1))
        expect(cosine(embeddingOf(result), embeddingOf(other))).toBeLessThan(0.99);
    expect(watch.rows.length).toBeLessThan(pictures.length);
    expect(Math.max(...watch.rows)).toBe(4);
    expect(watch.rows.every((rows) => [1, 2, 4].includes(rows))).toBe(true);
  });

  it('fail alone', async () => {
    const broken = new Uint8Array((pictures[0] as Uint8Array).slice(0, 200));
    const given = [pictures[0], await blankPng(), pictures[1], broken, pictures[2]] as typeof pictures;
    const outcomes = await Promise.allSettled(given.map((one) => embedFaces(one, WANTED, networks)));
    expect(outcomes).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: { code: 'NO_FACE_DETECTED' } },
      { status: 'fulfilled' },
      { status: 'rejected', reason: { code: 'INVALID_IMAGE' } },
      { status: 'fulfilled' },
    ]);
    const kept = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [embeddingOf(one.value)] : []));
    for (const [index, embedding] of kept.entries())
      expect(cosine(embedding, embeddingOf(wanted[index] as EmbedResult))).toBeGreaterThan(1 - 1e-6);
  });

  it('wait for others as long as the window says, and not at all when they are alone', async () => {
    const [picture] = pictures as [Uint8Array<ArrayBuffer>];
    const { timings } = await embedFaces(picture, WANTED, networks);
    expect(timings.recognise).toBeGreaterThanOrEqual(WINDOW_MS - 1);
    const alone = await embedFaces(picture, WANTED, networks, { alone: true });
    expect(alone.timings.recognise).toBeLessThan(200);
    expect(embeddingOf(alone)).toEqual(embeddingOf(wanted[0] as EmbedResult));
  });
});

describe('a recogniser whose graph takes one face at a time', () => {
  const HEADER = { irVersion: 7, opset: 13, producer: 'test' };
  const options = { inputSize: 112, preprocessing: RECOGNISER_PREPROCESSING };

  const synthetic = () => syntheticRecogniser({ inputSize: 112, embeddingSize: 64, embedded: false });
  const statesOne = (): Graph => {
    const graph = synthetic();
    return { ...graph, inputs: graph.inputs.map((input) => ({ ...input, dims: [1, 3, 112, 112] })) };
  };
  /** Adds to each row the mean of all rows. */
  const mixesRows = (): Graph => {
    const graph = synthetic();
    const extra = new GraphBuilder();
    const mean = extra.add('ReduceMean', ['embedding'], { axes: { ints: [0] } }, 'mean_of_rows');
    extra.add('Add', ['embedding', mean], {}, 'mixed');
    const { nodes } = extra.build('extra', [], []);
    const outputs = graph.outputs.map((output) => ({ ...output, name: 'mixed' }));
    return { ...graph, nodes: [...graph.nodes, ...nodes], outputs };
  };
  /** Has the number of rows written into it. */
  const cannotTakeMore = (): Graph => {
    const graph = synthetic();
    const extra = new GraphBuilder();
    extra.add('Reshape', ['embedding', extra.ints([1, 64])], {}, 'one_row');
    const { nodes, initialisers } = extra.build('extra', [], []);
    const renamed = initialisers.map((one) => ({ ...one, name: `extra_${one.name}` }));
    const shape = renamed[0]?.name as string;
    const outputs = graph.outputs.map((output) => ({ ...output, name: 'one_row', dims: [1, 64] }));
    const reshape = nodes.map((node) => ({ ...node, inputs: ['embedding', shape] }));
    return {
      ...graph,
      nodes: [...graph.nodes, ...reshape],
      initialisers: [...graph.initialisers, ...renamed],
      outputs,
    };
  };

  it.each([
    ['and says so', statesOne],
    ['although it claims to take more', cannotTakeMore],
    ['since its answers depend on the others in a run', mixesRows],
  ])('%s, recognises one by one', async (_, graphOf) => {
    const bytes = writeModel(HEADER, graphOf());
    const open = async () =>
      new FaceRecogniser(await ort.InferenceSession.create(bytes, { logSeverityLevel: 4 }), options);
    const plain = await open();
    const recogniser = await open();
    await recogniser.batchFaces({ windowMs: 1000, most: 4 });
    expect(recogniser.facesPerRun).toBe(1);

    const landmarks = Float32Array.of(20, 25, 44, 25, 32, 36, 23, 47, 41, 47);
    const pictures = [1, 2, 3].map((seed) => ({
      data: Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => 128 + 100 * Math.sin(seed * i)),
      width: 64,
      height: 64,
    }));
    // Aligned side by side, as each has pixels of its own; and without the wait for others, who cannot come.
    const aligned = pictures.map((picture) => recogniser.alignFace(picture, landmarks));
    const answers = await Promise.all(aligned.map((face) => recogniser.embedAligned(face)));
    for (const [index, { embedding }] of answers.entries()) {
      const face = plain.alignFace(pictures[index] as (typeof pictures)[0], landmarks);
      expect(embedding).toEqual((await plain.embedAligned(face)).embedding);
    }
    expect(answers[0]?.embedding).not.toEqual(answers[1]?.embedding);
  });
});
