import * as ort from 'onnxruntime-node';
import type { DeferredHeads } from '../../onnx/rewrite/deferred-heads.ts';
import { ANCHORS, BOX_VALUES, LANDMARK_VALUES } from '../../onnx/rewrite/scrfd.ts';
import { Mutex } from '../../threads/mutex.ts';
import type { Landmarks } from '../align/alignment.ts';
import type { Pixels } from '../decode/decode.ts';
import { ComputedHead, type Head, type PreparedHead, prepareHead, ReadHead } from './heads.ts';
import { Letterbox } from './letterbox.ts';
import { suppressOverlaps } from './nms.ts';

/** Edges in pixels of the picture; they may lie outside it. */
export interface BoundingBox {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export interface FaceBox {
  box: BoundingBox;
  /** 0..1. */
  score: number;
}

export interface DetectedFace extends FaceBox {
  landmarks: Landmarks;
}

interface SearchOptions {
  /**
   * Is asked after each size, with the faces so far and the input's pixels for one of the picture's; when it agrees, the
   * larger sizes are left out.
   */
  isEnough?: (faces: readonly FaceBox[], scale: number) => boolean;
  /** Whether the cores have nothing else to do. */
  alone?: boolean;
}

/** SCRFD's feature map strides. Source: insightface, model_zoo/scrfd.py. */
const STRIDES = [8, 16, 32];

/**
 * By how much a score may lie below the threshold for the graph to count it: nothing that counts here may be missing
 * there, where the same score is computed once more, of other numbers at a time.
 */
const SCORE_ROUNDING = 1e-5;

/** Least input size at which more threads pay off: at 128 they gain nothing. */
const LONE_SESSION_SIZE = 256;

/**
 * SCRFD: an anchor-free face detector with a score, a box and five landmarks for two anchors at each cell of three
 * feature maps (Guo et al., "Sample and Computation Redistribution for Efficient Face Detection", 2021).
 */
export class FaceDetector {
  readonly #session: ort.InferenceSession;
  readonly #loneSession: ort.InferenceSession;
  readonly #heads: readonly PreparedHead[] | undefined;
  /** What a graph that leaves boxes and landmarks to be computed is told of the threshold: one number. */
  readonly #threshold = new Float32Array(1);
  /** Smallest first. */
  readonly #inputs: DetectorInput[];
  /**
   * One picture at a time: all share the inputs, and after filling one the thread may turn to another picture, as ONNX
   * Runtime's run() begins later than it is called. SCRFD's graphs take one picture a run, so pictures are not batched
   * either; only their faces are.
   */
  readonly #mutex = new Mutex();

  constructor(
    session: ort.InferenceSession,
    options: {
      sizes: readonly number[];
      preprocessing: { mean: number; std: number };
      /** The same graph on more threads, for when the cores have nothing else to do. */
      loneSession?: ort.InferenceSession | undefined;
      /** What the graph leaves to be computed, at each stride; undefined where it computes all itself. */
      heads?: DeferredHeads | undefined;
    },
  ) {
    this.#session = session;
    this.#loneSession = options.loneSession ?? session;
    this.#heads = options.heads?.levels.map(prepareHead);
    this.#inputs = options.sizes
      .toSorted((a, b) => a - b)
      .map((size) =>
        this.#prepareInput(new Letterbox(size, options.preprocessing), options.heads?.threshold),
      );
  }

  /**
   * Finds faces at every input size, small ones first, and merges them under one suppression, as InsightFace does.
   *
   * @param threshold least score, 0..1.
   * @returns best score first.
   */
  async detectFaces(
    picture: Pixels,
    threshold: number,
    options: SearchOptions = {},
  ): Promise<DetectedFace[]> {
    const turn = this.#mutex.lock();
    if (turn) await turn;
    try {
      return await this.#search(picture, threshold, options);
    } finally {
      this.#mutex.unlock();
    }
  }

  async #search(
    picture: Pixels,
    threshold: number,
    { isEnough, alone = false }: SearchOptions,
  ): Promise<DetectedFace[]> {
    this.#threshold[0] = threshold - SCORE_ROUNDING;
    const candidates: Candidate[] = [];
    let kept: Candidate[] = [];
    for (const input of this.#inputs) {
      const { size } = input.letterbox;
      const scale = input.letterbox.fit(picture);
      const session = alone && size >= LONE_SESSION_SIZE ? this.#loneSession : this.#session;
      const outputs = await this.#run(session, input);
      for (const [level, stride] of STRIDES.entries()) {
        const head = this.#headOf(outputs, level, size / stride);
        collectCandidates({ head, stride, columns: size / stride, scale }, threshold, candidates);
      }
      candidates.sort(byScore);
      kept = suppressOverlaps(candidates);
      if (isEnough?.(kept, scale)) break;
    }
    return kept.map(({ score, box, map, anchor }) => ({ score, box, landmarks: landmarksOf(map, anchor) }));
  }

  #headOf(outputs: readonly Output[], level: number, columns: number): Head {
    const [scores, second, third] = [0, 1, 2].map((kind) => outputs[kind * STRIDES.length + level]);
    const prepared = this.#heads?.[level];
    if (prepared)
      return new ComputedHead(
        scores as Float32Array,
        second as Float32Array,
        third as Uint8Array,
        prepared,
        columns,
      );
    return new ReadHead(scores as Float32Array, second as Float32Array, third as Float32Array);
  }

  /** @returns scores of the three strides, then boxes, then landmarks; or then features and which of their rows there are. */
  async #run(session: ort.InferenceSession, input: DetectorInput): Promise<readonly Output[]> {
    // Given no memory to write to: ONNX Runtime would copy what it wrote there into new memory all the same.
    const results = await session.run(input.feeds);
    const outputs = session.outputNames.map((name) => results[name]?.data as Output);
    if (!input.hasRun) assertOutputs(outputs, input.letterbox.size, this.#heads);
    input.hasRun = true;
    return outputs;
  }

  /** @returns what a picture of this size needs, ready to run. */
  #prepareInput(letterbox: Letterbox, thresholdName: string | undefined): DetectorInput {
    const { size, input } = letterbox;
    const [name = ''] = this.#session.inputNames;
    const feeds: DetectorInput['feeds'] = { [name]: new ort.Tensor('float32', input, [1, 3, size, size]) };
    if (thresholdName !== undefined) feeds[thresholdName] = new ort.Tensor('float32', this.#threshold, [1]);
    return { letterbox, feeds, hasRun: false };
  }
}

type Output = Float32Array | Uint8Array;

/** What is kept between pictures for one input size. */
interface DetectorInput {
  letterbox: Letterbox;
  feeds: Record<string, ort.Tensor>;
  hasRun: boolean;
}

function assertOutputs(
  outputs: readonly Output[],
  size: number,
  heads: readonly PreparedHead[] | undefined,
): void {
  const lengths = outputs.map(({ length }) => length);
  const expected = (valuesOf: (level: number) => number) =>
    STRIDES.map((stride, level) => (size / stride) ** 2 * valuesOf(level));
  const keptFeatures = ({ channels }: PreparedHead, level: number) => {
    const kept = outputs[2 * STRIDES.length + level] as Uint8Array;
    return (kept.reduce((sum, row) => sum + row, 0) * channels * size) / (STRIDES[level] as number);
  };
  const wanted = heads
    ? [expected(() => ANCHORS), heads.map(keptFeatures), STRIDES.map((stride) => size / stride)]
    : [1, BOX_VALUES, LANDMARK_VALUES].map((values) => expected(() => ANCHORS * values));
  if (JSON.stringify(lengths) !== JSON.stringify(wanted.flat())) {
    throw new Error('The detector does not have the nine outputs of SCRFD with landmarks.');
  }
}

interface FeatureMap {
  head: Head;
  stride: number;
  /** Cells in a row. */
  columns: number;
  /** Input pixels for one picture pixel. */
  scale: number;
}

/** An anchor that reaches the threshold. */
interface Candidate extends FaceBox {
  map: FeatureMap;
  anchor: number;
}

function collectCandidates(map: FeatureMap, threshold: number, candidates: Candidate[]): void {
  const { scores } = map.head;
  // Nearly all anchors fail here: with anything in this loop that needs memory, they cost more than the faces.
  for (let anchor = 0; anchor < scores.length; anchor++) {
    const score = scores[anchor] as number;
    if (score >= threshold) candidates.push({ score, box: boxOf(map, anchor), map, anchor });
  }
}

function byScore(a: Candidate, b: Candidate): number {
  return b.score - a.score;
}

/** Of boxes and of landmarks are given the distances from the cell's corner, with no half-cell offset. */
function cornerOf({ stride, columns }: FeatureMap, anchor: number): { x: number; y: number } {
  const cell = Math.floor(anchor / ANCHORS);
  return { x: (cell % columns) * stride, y: Math.floor(cell / columns) * stride };
}

function boxOf(map: FeatureMap, anchor: number): BoundingBox {
  const { head, stride, scale } = map;
  const { x, y } = cornerOf(map, anchor);
  const { 0: left = 0, 1: top = 0, 2: right = 0, 3: bottom = 0 } = head.boxOf(anchor);
  return {
    left: (x - left * stride) / scale,
    top: (y - top * stride) / scale,
    right: (x + right * stride) / scale,
    bottom: (y + bottom * stride) / scale,
  };
}

function landmarksOf(map: FeatureMap, anchor: number): Landmarks {
  const { head, stride, scale } = map;
  const { x, y } = cornerOf(map, anchor);
  const distances = head.landmarksOf(anchor);
  const landmarks = new Float32Array(LANDMARK_VALUES);
  for (let i = 0; i < LANDMARK_VALUES; i++) {
    landmarks[i] = ((i % 2 === 0 ? x : y) + (distances[i] as number) * stride) / scale;
  }
  return landmarks;
}
