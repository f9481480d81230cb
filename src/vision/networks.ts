import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import * as ort from 'onnxruntime-node';
import type { ModelFile, ModelPack, RecogniserFile } from '../models/pack.ts';
import { type AppliedPass, rewriteGraph, rewritesPayOff } from '../models/rewrite/rewrite.ts';
import { FaceDetector } from './detector.ts';
import { type ScoreWeights, scoreWeightsFor } from './quality-score.ts';
import { type FaceBatching, FaceRecogniser } from './recogniser.ts';

export interface NetworkOptions {
  pack: ModelPack;
  device: 'cpu' | 'cuda';
  intraOpThreads: number;
  /** Threads of the detector when nothing else is to be done; it is loaded once more if they are more. */
  loneThreads: number;
  detectionSizes: readonly number[];
  /** Whether graphs are rewritten into faster ones that compute the same. */
  rewrites: boolean;
  /** How faces of several pictures are recognised together. Without it, one picture at a time must be at work. */
  batching?: FaceBatching;
}

/** What was rewritten in each graph; empty lists when nothing was. */
export interface GraphRewrites {
  detector: AppliedPass[];
  recogniser: AppliedPass[];
}

export interface Networks {
  detector: FaceDetector;
  recogniser: FaceRecogniser;
  /** How the quality score of this recogniser's faces is made. */
  scoreWeights: ScoreWeights;
  /** Numbers in one embedding. */
  embeddingSize: number;
  rewrites: GraphRewrites;
}

/**
 * Loads both networks of a pack and runs each once, so that the first request finds everything in place and a graph of
 * the wrong kind is noticed now.
 */
export async function loadNetworks(options: NetworkOptions): Promise<Networks> {
  const { detector: detectorFile, recogniser: recogniserFile } = options.pack;
  const detectorGraph = await createSession(detectorFile, options);
  const isDoubled = options.loneThreads > options.intraOpThreads && options.device === 'cpu';
  const detector = new FaceDetector(detectorGraph.session, {
    sizes: options.detectionSizes,
    preprocessing: detectorFile.preprocessing,
    ...(isDoubled
      ? { loneSession: await openSession(detectorGraph.bytes, options, options.loneThreads) }
      : {}),
  });
  const recogniserGraph = await createSession(recogniserFile, options);
  assertInputSize(recogniserGraph.session, recogniserFile);
  const recogniser = new FaceRecogniser(recogniserGraph.session, recogniserFile);

  const blank = { data: new Uint8Array(64 * 64 * 3).fill(128), width: 64, height: 64 };
  await detector.detectFaces(blank, 1);
  if (isDoubled) await detector.detectFaces(blank, 1, { alone: true });
  const face = recogniser.alignFace(blank, Float32Array.of(20, 25, 44, 25, 32, 36, 23, 47, 41, 47));
  const { length } = (await recogniser.embedAligned(face)).embedding;
  if (length !== (recogniserFile.embeddingSize ?? length)) {
    throw new Error(
      `The recogniser gives ${length} numbers; the manifest's tasks.recognition.embedding_dimension says ` +
        `${recogniserFile.embeddingSize}.`,
    );
  }
  if (options.batching) await recogniser.batchFaces(options.batching);
  const rewrites = { detector: detectorGraph.applied, recogniser: recogniserGraph.applied };
  const scoreWeights = scoreWeightsFor(recogniserFile.sha256);
  return { detector, recogniser, scoreWeights, embeddingSize: length, rewrites };
}

/** Said here, with the name of the member, before ONNX Runtime says it with the name of a tensor. */
function assertInputSize(session: ort.InferenceSession, { inputSize }: RecogniserFile): void {
  const [input] = session.inputMetadata;
  const [height, width] = input?.isTensor ? input.shape.slice(2) : [];
  // A side given by name takes any size.
  if ([height, width].every((side) => typeof side !== 'number' || side === inputSize)) return;
  throw new Error(
    `The recogniser takes ${height}×${width} pixels; the manifest's tasks.recognition.input_size says ${inputSize}×${inputSize}.`,
  );
}

/** The session is made from the very bytes that were hashed, so a file swapped after its verification is not loaded. */
async function createSession(
  file: ModelFile,
  options: NetworkOptions,
): Promise<{ session: ort.InferenceSession; applied: AppliedPass[]; bytes: Uint8Array }> {
  const bytes = await readFile(file.path);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== file.sha256) throw new Error(`${basename(file.path)} changed since it was verified.`);
  const { bytes: graph, applied } =
    options.rewrites && rewritesPayOff(options.device) ? rewriteGraph(bytes) : { bytes, applied: [] };
  return { session: await openSession(graph, options, options.intraOpThreads), applied, bytes: graph };
}

function openSession(
  graph: Uint8Array,
  { device }: NetworkOptions,
  threads: number,
): Promise<ort.InferenceSession> {
  return ort.InferenceSession.create(graph, {
    executionProviders: [device],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Threads that spin between two layers instead of sleeping make a second one worth having: the detector takes 0.61 of
    // its time with it, and 0.70 without. Between two runs they would take the cores that others need.
    extra: { session: { intra_op: { allow_spinning: threads > 1 ? '1' : '0' }, force_spinning_stop: '1' } },
    // SCRFD's graphs declare output sizes for 640 only; ONNX Runtime would warn at every other input.
    logSeverityLevel: 3,
  });
}
