import { basename } from 'node:path';
import type * as ort from 'onnxruntime-node';
import { type Device, factsOf } from '../config/devices.ts';
import { errorMessage } from '../errors.ts';
import {
  type AppliedPass,
  type RewrittenGraph,
  rewriteDetector,
  rewriteForGpu,
  rewriteGraph,
  rewritesPayOff,
} from '../onnx/rewrite/rewrite.ts';
import { readVerified } from '../packs/file-hash.ts';
import { detectionSizesOf, type ModelFile, type ModelPack, type RecogniserFile } from '../packs/pack.ts';
import type { FaceDetector } from './detect/face-detector.ts';
import { openDetector } from './detect/open-detector.ts';
import type { PreparedGraph } from './prepared/prepared-graph.ts';
import type { PreparedPack } from './prepared/prepared-pack.ts';
import { type ScoreWeights, scoreWeightsFor } from './quality/quality-score.ts';
import { type FaceBatching, FaceRecogniser } from './recognise/recogniser.ts';
import { openSession } from './session.ts';

export interface NetworkOptions {
  pack: ModelPack;
  device: Device;
  intraOpThreads: number;
  /**
   * Threads per run when no other image is being processed (src/engine/inference-worker.ts). If they are more than
   * `intraOpThreads`, each network gets a second session.
   */
  loneRequestThreads: number;
  /** Sides of the detector's square inputs, in pixels; undefined for those of its family. */
  detectionSizes?: readonly number[] | undefined;
  /** Whether graphs are rewritten into faster, equivalent ones. */
  rewrites: boolean;
  /** Without them, the graphs are loaded from the files of the pack. */
  prepared?: PreparedPack | undefined;
  /** How faces of several pictures are recognised together. Without it, the networks take one picture at a time. */
  batching?: FaceBatching;
}

/** The rewrites applied to each graph; empty lists if none. */
export interface GraphRewrites {
  detector: AppliedPass[];
  recogniser: AppliedPass[];
  /** Of the detector's second network; only if it has one. */
  landmarks?: AppliedPass[];
}

export interface Networks {
  detector: FaceDetector;
  recogniser: FaceRecogniser;
  /** The weights of the quality score for this recogniser. */
  scoreWeights: ScoreWeights;
  /** Numbers in one embedding. */
  embeddingSize: number;
  rewrites: GraphRewrites;
}

/**
 * Loads the networks of a pack and runs each session once, so that the first request is not slower than others and an
 * unsuitable graph is an error now.
 */
export async function loadNetworks(options: NetworkOptions): Promise<Networks> {
  const { detector: detectorFile, recogniser: recogniserFile } = options.pack;
  // The larger graph first: the other one and the runs then use the heap that its loading leaves free.
  const recogniserGraph = await loadGraph(
    recogniserFile,
    options.prepared?.recogniser,
    options,
    rewriteGraph,
  );
  const detectorGraph = await loadGraph(detectorFile, options.prepared?.detector, options, rewriteDetector);
  const landmarksGraph =
    detectorFile.landmarks &&
    (await loadGraph(
      detectorFile.landmarks,
      options.prepared?.landmarks,
      // Its run is too short to gain from more threads.
      { ...options, loneRequestThreads: options.intraOpThreads },
      rewriteGraph,
    ));
  const detector = openDetector(detectorFile, {
    ...detectorGraph,
    sizes: detectionSizesOf(detectorFile, options.detectionSizes),
    landmarks: landmarksGraph?.session,
  });
  assertInputSize(recogniserGraph.session, recogniserFile);
  const recogniser = new FaceRecogniser(recogniserGraph.session, {
    ...recogniserFile,
    multiThreadSession: recogniserGraph.multiThreadSession,
  });

  const blank = { data: new Uint8Array(64 * 64 * 3).fill(128), width: 64, height: 64 };
  const landmarks = Float32Array.of(20, 25, 44, 25, 32, 36, 23, 47, 41, 47);
  const runOnce = async (coresIdle: boolean): Promise<number> => {
    await detector.detectFaces(blank, 1, { coresIdle });
    await detector.scoreTurns(blank);
    const { embedding } = await recogniser.embedAligned(recogniser.alignFace(blank, landmarks), {
      coresIdle,
    });
    return embedding.length;
  };
  const length = await runOnce(false);
  if (needsMultiThreadSession(options)) await runOnce(true);
  if (length !== (recogniserFile.embeddingSize ?? length)) {
    throw new Error(
      `The recogniser gives ${length} numbers; the manifest's tasks.recognition.embedding_dimension says ` +
        `${recogniserFile.embeddingSize}.`,
    );
  }
  if (options.batching) await recogniser.batchFaces(options.batching);
  const rewrites = {
    detector: detectorGraph.applied,
    recogniser: recogniserGraph.applied,
    ...(landmarksGraph && { landmarks: landmarksGraph.applied }),
  };
  const scoreWeights = scoreWeightsFor(recogniserFile.sha256);
  return { detector, recogniser, scoreWeights, embeddingSize: length, rewrites };
}

/** Reports a wrong size with the name of the manifest's member; ONNX Runtime's error names a tensor. */
function assertInputSize(session: ort.InferenceSession, { inputSize }: RecogniserFile): void {
  const [input] = session.inputMetadata;
  const [height, width] = input?.isTensor ? input.shape.slice(2) : [];
  // A side with a name instead of a number takes any size.
  if ([height, width].every((side) => typeof side !== 'number' || side === inputSize)) return;
  throw new Error(
    `The recogniser takes ${height}×${width} pixels; the manifest's tasks.recognition.input_size says ${inputSize}×${inputSize}.`,
  );
}

interface LoadedGraph extends Omit<RewrittenGraph, 'bytes'> {
  session: ort.InferenceSession;
  /** The same graph with more threads, for when the cores are idle. */
  multiThreadSession: ort.InferenceSession | undefined;
}

async function loadGraph(
  file: ModelFile,
  prepared: PreparedGraph | undefined,
  options: NetworkOptions,
  rewrite: (bytes: Uint8Array<ArrayBuffer>) => RewrittenGraph,
): Promise<LoadedGraph> {
  const { bytes, ...rewritten } = prepared
    ? { ...prepared, bytes: prepared.path }
    : await readGraph(file, options, rewrite);
  const { device, intraOpThreads, loneRequestThreads } = options;
  const session = await openSession(bytes, {
    device,
    threads: intraOpThreads,
    wholeOnDevice: mustBeWhole(options),
  }).catch((error: unknown) => {
    throw explainRefusal(error, file, device);
  });
  const multiThreadSession = needsMultiThreadSession(options)
    ? await openSession(bytes, { device, threads: loneRequestThreads })
    : undefined;
  return { session, multiThreadSession, applied: rewritten.applied, heads: rewritten.heads };
}

async function readGraph(
  file: ModelFile,
  options: NetworkOptions,
  rewrite: (bytes: Uint8Array<ArrayBuffer>) => RewrittenGraph,
): Promise<RewrittenGraph> {
  const original = await readVerified(file);
  if (mustBeWhole(options)) return rewriteForGpu(original);
  return options.rewrites && rewritesPayOff(options.device)
    ? rewrite(original)
    : { bytes: original, applied: [] };
}

/** The detector of the synthetic pack computes its boxes with operators on integers, which no GPU's provider has. */
function mustBeWhole({ device, pack }: NetworkOptions): boolean {
  return factsOf(device).gpu && pack.origin !== 'synthetic';
}

function explainRefusal(error: unknown, file: ModelFile, device: Device): unknown {
  if (!errorMessage(error).includes('fallback to CPU EP has been explicitly disabled')) return error;
  return new Error(
    `${basename(file.path)} has nodes that DEVICE=${device} cannot run. DEVICE=cpu runs every network.`,
    { cause: error },
  );
}

function needsMultiThreadSession({ loneRequestThreads, intraOpThreads, device }: NetworkOptions): boolean {
  return loneRequestThreads > intraOpThreads && device === 'cpu';
}
