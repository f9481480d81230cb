import * as ort from 'onnxruntime-node';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/onnx/graph-builder.ts';
import { type Graph, writeModel } from '../../src/onnx/writer.ts';
import { STANDARD_RECOGNISER } from '../../src/packs/pack.ts';
import { resolvePack } from '../../src/packs/resolve.ts';
import { loadNetworks, type Networks } from '../../src/vision/networks.ts';
import { type EmbedResult, embedFaces } from '../../src/vision/pipeline.ts';
import { type FaceBatching, FaceRecogniser } from '../../src/vision/recognise/recogniser.ts';
import { syntheticRecogniser } from '../../tools/synthetic/recogniser.ts';
import { watchRecogniserRuns } from '../support/engine/inference-runs.ts';
import { cosine } from '../support/numbers.ts';
import { blankPng, blobsPng } from '../support/pictures.ts';

const OPTIONS = {
  selection: 'single',
  detection: 'full',
  detectionThreshold: 0.5,
  maxFaces: 100,
  maxPixels: 1_000_000,
} as const;
/** Long enough that batches fill on a busy machine. */
const WINDOW_MS = 1_000;

async function load(batching?: FaceBatching): Promise<Networks> {
  return loadNetworks({
    pack: await resolvePack({ name: 'synthetic', modelsDir: '' }),
    device: 'cpu',
    intraOpThreads: 1,
    loneRequestThreads: 1,
    detectionSizes: [128, 640],
    rewrites: true,
    ...(batching && { batching }),
  });
}

const embeddingOf = ({ faces }: EmbedResult) => faces[0]?.embedding as Float32Array;

describe('several pictures processed at a time', () => {
  let watch: ReturnType<typeof watchRecogniserRuns> | undefined;
  let pictures: Uint8Array<ArrayBuffer>[];
  /** The results of the pictures one by one, without batching. */
  let expected: EmbedResult[];
  let networks: Networks;

  beforeAll(async () => {
    // Of many shapes, so that pixels left in the detector's input would change the next result.
    pictures = await Promise.all(
      Array.from({ length: 12 }, (_, seed) => blobsPng(seed, 200 + 40 * (seed % 5), 300 - 30 * (seed % 7))),
    );
    const plain = await load();
    expected = [];
    for (const picture of pictures) expected.push(await embedFaces(picture, OPTIONS, plain));
    networks = await load({ windowMs: WINDOW_MS, maxFaces: 4 });
  });
  afterEach(() => watch?.stop());

  it('give each picture its own faces, with the embeddings of one picture at a time', async () => {
    watch = watchRecogniserRuns();
    const results = await Promise.all(pictures.map((picture) => embedFaces(picture, OPTIONS, networks)));
    for (const [index, { image, faces }] of results.entries()) {
      const [face] = faces;
      const [same] = expected[index]?.faces ?? [];
      expect(image).toEqual(expected[index]?.image);
      expect(face).toMatchObject({ box: same?.box, score: same?.score, landmarks: same?.landmarks });
      expect(cosine(face?.embedding ?? [], same?.embedding ?? [])).toBeGreaterThan(1 - 1e-6);
    }
    // The pictures differ enough that a swapped result would fail.
    for (const [index, result] of results.entries())
      for (const other of expected.slice(index + 1))
        expect(cosine(embeddingOf(result), embeddingOf(other))).toBeLessThan(0.99);
    expect(watch.rows.length).toBeLessThan(pictures.length);
    expect(Math.max(...watch.rows)).toBe(4);
    expect(watch.rows.every((rows) => [1, 2, 4].includes(rows))).toBe(true);
  });

  it('fail independently of each other', async () => {
    const broken = new Uint8Array((pictures[0] as Uint8Array).slice(0, 200));
    const given = [pictures[0], await blankPng(), pictures[1], broken, pictures[2]] as typeof pictures;
    const outcomes = await Promise.allSettled(given.map((one) => embedFaces(one, OPTIONS, networks)));
    expect(outcomes).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: { code: 'NO_FACE_DETECTED' } },
      { status: 'fulfilled' },
      { status: 'rejected', reason: { code: 'INVALID_IMAGE' } },
      { status: 'fulfilled' },
    ]);
    const kept = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [embeddingOf(one.value)] : []));
    for (const [index, embedding] of kept.entries())
      expect(cosine(embedding, embeddingOf(expected[index] as EmbedResult))).toBeGreaterThan(1 - 1e-6);
  });

  it('do not wait for a batch when the cores are idle', async () => {
    // The test would time out if this window were waited for.
    const patient = await load({ windowMs: 3_600_000, maxFaces: 4 });
    const [picture] = pictures as [Uint8Array<ArrayBuffer>];
    const result = await embedFaces(picture, OPTIONS, patient, { coresIdle: true });
    expect(embeddingOf(result)).toEqual(embeddingOf(expected[0] as EmbedResult));
  });
});

describe('a recogniser whose graph cannot batch faces', () => {
  const HEADER = { irVersion: 7, opset: 13, producer: 'test' };

  const synthetic = () => syntheticRecogniser({ inputSize: 112, embeddingSize: 64, embedded: false });
  const declaresOneRow = (): Graph => {
    const graph = synthetic();
    return { ...graph, inputs: graph.inputs.map((input) => ({ ...input, dims: [1, 3, 112, 112] })) };
  };
  /** Adds the mean of all rows to each row. */
  const mixesRows = (): Graph => {
    const graph = synthetic();
    const extra = new GraphBuilder();
    const mean = extra.add('ReduceMean', ['embedding'], { axes: { ints: [0] } }, 'mean_of_rows');
    extra.add('Add', ['embedding', mean], {}, 'mixed');
    const { nodes } = extra.build('extra', [], []);
    const outputs = graph.outputs.map((output) => ({ ...output, name: 'mixed' }));
    return { ...graph, nodes: [...graph.nodes, ...nodes], outputs };
  };
  /** Declares any number of rows, but reshapes to one. */
  const reshapesToOneRow = (): Graph => {
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
    ['declares one row', declaresOneRow],
    ['declares any number of rows but fails with several', reshapesToOneRow],
    ['lets the rows of a run affect each other', mixesRows],
  ])('recognises faces one by one where the graph %s', async (_, graphOf) => {
    const bytes = writeModel(HEADER, graphOf());
    const open = async () =>
      new FaceRecogniser(
        await ort.InferenceSession.create(bytes, { logSeverityLevel: 4 }),
        STANDARD_RECOGNISER,
      );
    const plain = await open();
    const recogniser = await open();
    await recogniser.batchFaces({ windowMs: 1000, maxFaces: 4 });
    expect(recogniser.facesPerRun).toBe(1);

    const landmarks = Float32Array.of(20, 25, 44, 25, 32, 36, 23, 47, 41, 47);
    const pictures = [1, 2, 3].map((seed) => ({
      data: Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => 128 + 100 * Math.sin(seed * i)),
      width: 64,
      height: 64,
    }));
    // Aligned side by side, as each has pixels of its own. Embedded without a wait for a batch, which cannot form.
    const aligned = pictures.map((picture) => recogniser.alignFace(picture, landmarks));
    const answers = await Promise.all(aligned.map((face) => recogniser.embedAligned(face)));
    for (const [index, { embedding }] of answers.entries()) {
      const face = plain.alignFace(pictures[index] as (typeof pictures)[0], landmarks);
      expect(embedding).toEqual((await plain.embedAligned(face)).embedding);
    }
    expect(answers[0]?.embedding).not.toEqual(answers[1]?.embedding);
  });
});
