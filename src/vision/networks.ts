import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import * as ort from 'onnxruntime-node';
import {
  type AppliedPass,
  type RewrittenGraph,
  rewriteDetector,
  rewriteGraph,
  rewritesPayOff,
} from '../onnx/rewrite/rewrite.ts';
import type { ModelFile, ModelPack, RecogniserFile } from '../packs/pack.ts';
import { FaceDetector } from './detect/detector.ts';
import { type ScoreWeights, scoreWeightsFor } from './quality/quality-score.ts';
import { type FaceBatching, FaceRecogniser } from './recognise/recogniser.ts';

export interface NetworkOptions {
  pack: ModelPack;
  device: 'cpu' | 'cuda';
  intraOpThreads: number;
  /** Threads of a network when nothing else is to be done; both are loaded once more if they are more. */
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
  // The larger graph first: what its loading leaves free in the heap, the other and both their runs then use.
  const recogniserGraph = await loadGraph(recogniserFile, options, rewriteGraph);
  const detectorGraph = await loadGraph(detectorFile, options, rewriteDetector);
  const detector = new FaceDetector(detectorGraph.session, {
    sizes: options.detectionSizes,
    preprocessing: detectorFile.preprocessing,
    loneSession: detectorGraph.loneSession,
    heads: detectorGraph.heads,
  });
  assertInputSize(recogniserGraph.session, recogniserFile);
  const recogniser = new FaceRecogniser(recogniserGraph.session, {
    ...recogniserFile,
    loneSession: recogniserGraph.loneSession,
  });

  const blank = { data: new Uint8Array(64 * 64 * 3).fill(128), width: 64, height: 64 };
  const landmarks = Float32Array.of(20, 25, 44, 25, 32, 36, 23, 47, 41, 47);
  const tryOut = async (alone: boolean): Promise<number> => {
    await detector.detectFaces(blank, 1, { alone });
    const { embedding } = await recogniser.embedAligned(recogniser.alignFace(blank, landmarks), { alone });
    return embedding.length;
  };
  const length = await tryOut(false);
  if (isDoubled(options)) await tryOut(true);
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

interface LoadedGraph extends Omit<RewrittenGraph, 'bytes'> {
  session: ort.InferenceSession;
  /** The same on more threads; undefined where that is not wanted. */
  loneSession: ort.InferenceSession | undefined;
}

/** Sessions are made from the very bytes that were hashed, so a file swapped after its verification is not loaded. */
async function loadGraph(
  file: ModelFile,
  options: NetworkOptions,
  rewrite: (bytes: Uint8Array<ArrayBuffer>) => RewrittenGraph,
): Promise<LoadedGraph> {
  const original = await readFile(file.path);
  const sha256 = createHash('sha256').update(original).digest('hex');
  if (sha256 !== file.sha256) throw new Error(`${basename(file.path)} changed since it was verified.`);
  const { bytes, ...rewritten } =
    options.rewrites && rewritesPayOff(options.device) ? rewrite(original) : { bytes: original, applied: [] };
  const session = await openSession(bytes, options, options.intraOpThreads);
  const loneSession = isDoubled(options) ? await openSession(bytes, options, options.loneThreads) : undefined;
  return { session, loneSession, ...rewritten };
}

function isDoubled({ loneThreads, intraOpThreads, device }: NetworkOptions): boolean {
  return loneThreads > intraOpThreads && device === 'cpu';
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
    // A plan made at the first run of each input size sets aside a second block beside what that run had taken: a third
    // more memory (30 MB of two workers), and no faster.
    enableMemPattern: false,
    // Threads that spin between two layers instead of sleeping make a second one worth having: the detector takes 0.61 of
    // its time with it, and 0.70 without; the recogniser 0.64. Between two runs they would take the cores that others need.
    extra: { session: { intra_op: { allow_spinning: threads > 1 ? '1' : '0' }, force_spinning_stop: '1' } },
    // SCRFD's graphs declare output sizes for 640 only; ONNX Runtime would warn at every other input.
    logSeverityLevel: 3,
  });
}
