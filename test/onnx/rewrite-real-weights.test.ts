import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { type RewrittenGraph, rewriteDetector, rewriteGraph } from '../../src/onnx/rewrite/rewrite.ts';
import { DETECTOR_PREPROCESSING, RECOGNISER_PREPROCESSING } from '../../src/packs/pack.ts';
import { FaceDetector } from '../../src/vision/detect/detector.ts';
import { type EmbedResult, embedFaces } from '../../src/vision/pipeline.ts';
import { SCORE_WEIGHTS } from '../../src/vision/quality/quality-score.ts';
import { FaceRecogniser } from '../../src/vision/recognise/recogniser.ts';
import { cosine } from '../support/numbers.ts';
import { appliedTo } from '../support/onnx-graphs.ts';
import { goldenImages, hasRealWeights, MODELS, photo } from '../support/shared.ts';

const networkFile = (name: string) => new Uint8Array(readFileSync(join(MODELS, 'buffalo_sc_dq', name)));

describe.skipIf(!hasRealWeights)('rewritten networks with real weights', () => {
  let detector: RewrittenGraph;
  let recogniser: RewrittenGraph;

  beforeAll(() => {
    detector = rewriteDetector(networkFile('det_500m.onnx'));
    recogniser = rewriteGraph(networkFile('w600k_mbf.onnx'));
  });

  it('hold every pattern that is known to be in them', () => {
    expect(appliedTo(detector)).toBe('deferred-heads 3, narrow-convolutions 3, transposes 3');
    const wholeDetector = rewriteGraph(networkFile('det_500m.onnx'));
    expect(appliedTo(wholeDetector)).toBe('sibling-convolutions 3, transposes 9');
    // 34 PReLUs, of which the two beside the grouped convolution are dealt into two parts each.
    expect(appliedTo(recogniser)).toBe('grouped-convolutions 1, prelu 36');
  });

  it('find the same faces in photographs and give the same embeddings', async () => {
    const untouched = await pipelineOf(
      { bytes: networkFile('det_500m.onnx') },
      networkFile('w600k_mbf.onnx'),
    );
    const wholeDetector = await pipelineOf(rewriteGraph(networkFile('det_500m.onnx')), recogniser.bytes);
    const rewritten = await pipelineOf(detector, recogniser.bytes);
    const golden = goldenImages();
    let faces = 0;
    for (const { file } of golden) {
      const wanted = await untouched(photo(file));
      expectSameFaces(await wholeDetector(photo(file)), wanted);
      expectSameFaces(await rewritten(photo(file)), wanted);
      faces += wanted.faces.length;
    }
    expect(golden.length).toBeGreaterThanOrEqual(125);
    expect(faces).toBeGreaterThanOrEqual(145);
  });

  it('take a few milliseconds to rewrite', () => {
    const bytes = [networkFile('det_500m.onnx'), networkFile('w600k_mbf.onnx')];
    const times = Array.from({ length: 8 }, () => {
      const started = performance.now();
      for (const network of bytes) rewriteDetector(network);
      return performance.now() - started;
    });
    // The fastest of several: the machine may be busy, and the first runs are not compiled yet.
    expect(Math.min(...times)).toBeLessThan(30);
  });
});

async function pipelineOf(
  { bytes, heads }: Pick<RewrittenGraph, 'bytes' | 'heads'>,
  recogniserBytes: Uint8Array,
) {
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 } as const;
  const detector = new FaceDetector(await ort.InferenceSession.create(bytes, options), {
    heads,
    sizes: [128, 640],
    preprocessing: DETECTOR_PREPROCESSING,
  });
  const recogniser = new FaceRecogniser(await ort.InferenceSession.create(recogniserBytes, options), {
    inputSize: 112,
    preprocessing: RECOGNISER_PREPROCESSING,
  });
  const wanted = {
    selection: 'all',
    detection: 'full',
    detectionThreshold: 0.5,
    maxFaces: 100,
    maxPixels: 50_000_000,
  } as const;
  return (image: Uint8Array<ArrayBuffer>) =>
    embedFaces(image, wanted, { detector, recogniser, scoreWeights: SCORE_WEIGHTS.withNorm });
}

function expectSameFaces(got: EmbedResult, wanted: EmbedResult): void {
  expect(got.faces).toHaveLength(wanted.faces.length);
  for (const [index, face] of wanted.faces.entries()) {
    const other = got.faces[index] as EmbedResult['faces'][number];
    for (const edge of ['left', 'top', 'right', 'bottom'] as const) {
      expect(Math.abs(other.box[edge] - face.box[edge])).toBeLessThan(0.001);
    }
    for (const [i, value] of face.landmarks.entries()) {
      expect(Math.abs((other.landmarks[i] as number) - value)).toBeLessThan(0.001);
    }
    expect(Math.abs(other.score - face.score)).toBeLessThan(1e-6);
    expect(cosine(other.embedding, face.embedding)).toBeGreaterThan(1 - 1e-9);
  }
}
