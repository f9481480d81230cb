import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { type RewrittenGraph, rewriteDetector, rewriteGraph } from '../../src/onnx/rewrite/rewrite.ts';
import { STANDARD_DETECTOR, STANDARD_RECOGNISER } from '../../src/packs/pack.ts';
import { openDetector } from '../../src/vision/detect/open-detector.ts';
import { type EmbedResult, embedFaces } from '../../src/vision/pipeline.ts';
import { SCORE_WEIGHTS } from '../../src/vision/quality/quality-score.ts';
import { FaceRecogniser } from '../../src/vision/recognise/recogniser.ts';
import { cosine } from '../support/numbers.ts';
import { appliedTo } from '../support/packs/onnx-graphs.ts';
import { goldenImages, hasOpenWeights, hasRealWeights, MODELS, OPEN_PACK, photo } from '../support/shared.ts';

const networkFile = (name: string) => new Uint8Array(readFileSync(join(MODELS, 'buffalo_sc_dq', name)));

describe.skipIf(!hasRealWeights)('rewriting real networks', () => {
  let detector: RewrittenGraph;
  let recogniser: RewrittenGraph;

  beforeAll(() => {
    detector = rewriteDetector(networkFile('det_500m.onnx'));
    recogniser = rewriteGraph(networkFile('w600k_mbf.onnx'));
  });

  it('applies every pass whose pattern the networks contain', () => {
    expect(appliedTo(detector)).toBe('deferred-heads 3, narrow-convolutions 3, transposes 3');
    const wholeDetector = rewriteGraph(networkFile('det_500m.onnx'));
    expect(appliedTo(wholeDetector)).toBe('sibling-convolutions 3, transposes 9');
    // 34 PReLUs, of which the two next to the grouped convolution are split into two parts each.
    expect(appliedTo(recogniser)).toBe('grouped-convolutions 1, prelu 36, gemms 1');
  });

  it.skipIf(!hasOpenWeights)('applies those of another family of networks', () => {
    const open = (name: string) => new Uint8Array(readFileSync(join(MODELS, OPEN_PACK, name)));
    expect(appliedTo(rewriteDetector(open('face_detection_yunet_2026may.onnx')))).toBe('separable-heads 3');
    expect(appliedTo(rewriteGraph(open('face_reidentification_retail_0095.onnx')))).toBe('prelu 48');
  });

  it('gives the same faces and embeddings for photographs', async () => {
    const original = await pipelineOf({ bytes: networkFile('det_500m.onnx') }, networkFile('w600k_mbf.onnx'));
    const wholeDetector = await pipelineOf(rewriteGraph(networkFile('det_500m.onnx')), recogniser.bytes);
    const rewritten = await pipelineOf(detector, recogniser.bytes);
    // A part of them: test/accuracy compares all with InsightFace, in the rewritten networks.
    const golden = goldenImages().filter((_, index) => index % 4 === 0);
    let faces = 0;
    for (const { file } of golden) {
      const expected = await original(photo(file));
      expectSameFaces(await wholeDetector(photo(file)), expected);
      expectSameFaces(await rewritten(photo(file)), expected);
      faces += expected.faces.length;
    }
    expect(golden.length).toBeGreaterThanOrEqual(31);
    expect(faces).toBeGreaterThanOrEqual(34);
  }, 180_000);
});

async function pipelineOf(
  { bytes, heads }: Pick<RewrittenGraph, 'bytes' | 'heads'>,
  recogniserBytes: Uint8Array,
) {
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 } as const;
  const detector = openDetector(STANDARD_DETECTOR, {
    session: await ort.InferenceSession.create(bytes, options),
    heads,
    sizes: [128, 640],
  });
  const recogniser = new FaceRecogniser(await ort.InferenceSession.create(recogniserBytes, options), {
    ...STANDARD_RECOGNISER,
  });
  const request = {
    selection: 'all',
    detection: 'full',
    detectionThreshold: 0.5,
    maxFaces: 100,
    maxPixels: 50_000_000,
  } as const;
  return (image: Uint8Array<ArrayBuffer>) =>
    embedFaces(image, request, { detector, recogniser, scoreWeights: SCORE_WEIGHTS.withNorm });
}

function expectSameFaces(actual: EmbedResult, expected: EmbedResult): void {
  expect(actual.faces).toHaveLength(expected.faces.length);
  for (const [index, face] of expected.faces.entries()) {
    const other = actual.faces[index] as EmbedResult['faces'][number];
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
