import * as ort from 'onnxruntime-node';
import { HIGHEST_MAX_FACES } from '../../config/settings.ts';
import type { DeferredHeads } from '../../onnx/rewrite/deferred-heads.ts';
import { ANCHORS, BOX_VALUES, LANDMARK_VALUES, STRIDES } from '../../onnx/scrfd-outputs.ts';
import { Mutex } from '../../threads/mutex.ts';
import type { Pixels } from '../picture.ts';
import {
  type Candidate,
  collectCandidates,
  dropWorst,
  type FeatureMap,
  MAX_CANDIDATES,
} from './candidates.ts';
import type { DetectedFace, FaceBox } from './face.ts';
import { DenseHead, type Head, LazyHead, type PreparedHead, prepareHead } from './heads.ts';
import { Letterbox } from './letterbox.ts';
import { suppressOverlaps } from './nms.ts';
import { drawTurnedViews, highestInViews, TURNED_VIEWS } from './turned-views.ts';

interface SearchOptions {
  /**
   * Called after each input size with the faces so far and the scale, input pixels per picture pixel; when it returns true,
   * the larger sizes are skipped.
   */
  isEnough?: (faces: readonly FaceBox[], scale: number) => boolean;
  /** Whether no other image is being processed (src/engine/inference-worker.ts). */
  coresIdle?: boolean;
}

/**
 * Margin by which the graph's threshold is lower than the caller's, so that the graph keeps the features of every anchor
 * that passes here: the graph computes the same scores once more for it, and may round them differently.
 */
const SCORE_ROUNDING = 1e-5;

/** Smallest input size that gains from more threads; at 128 they gain nothing. */
const MIN_MULTI_THREAD_SIZE = 256;

/** The input size for a coarse view: its run takes a twenty-fifth of the work of one at 640, and a face of an ordinary portrait is found. */
const COARSE_SIZE = 128;

/** A threshold that no score reaches: a graph with deferred heads then computes scores only. */
const NO_SCORE = 2;

/**
 * SCRFD: an anchor-free face detector with a score, a box and five landmarks for two anchors at each cell of three
 * feature maps (Guo et al., "Sample and Computation Redistribution for Efficient Face Detection", 2021).
 */
export class FaceDetector {
  readonly #session: ort.InferenceSession;
  readonly #multiThreadSession: ort.InferenceSession;
  readonly #heads: readonly PreparedHead[] | undefined;
  /** The threshold as the input of a graph with deferred heads: one number. */
  readonly #threshold = new Float32Array(1);
  /** Smallest first. */
  readonly #inputs: DetectorInput[];
  /** For {@link scoreTurns}; undefined for a graph that takes a single size. */
  readonly #views:
    | { letterbox: Letterbox; data: Float32Array<ArrayBuffer>; feeds: DetectorInput['feeds'] }
    | undefined;
  /**
   * Held for one picture at a time. Pictures share the inputs, and ONNX Runtime reads them some time after run() is called,
   * when this thread may already process another picture. SCRFD's graphs take one picture per run, so only faces are batched.
   */
  readonly #mutex = new Mutex();

  constructor(
    session: ort.InferenceSession,
    options: {
      sizes: readonly number[];
      preprocessing: { mean: number; std: number };
      /** The same graph with more threads, for when the cores are idle. */
      multiThreadSession?: ort.InferenceSession | undefined;
      /** The heads that the graph leaves out, one for each stride; undefined for a complete graph. */
      heads?: DeferredHeads | undefined;
    },
  ) {
    this.#session = session;
    this.#multiThreadSession = options.multiThreadSession ?? session;
    this.#heads = options.heads?.levels.map(prepareHead);
    const { preprocessing, heads } = options;
    this.#inputs = options.sizes
      .toSorted((a, b) => a - b)
      .map((size) => {
        const letterbox = new Letterbox(size, preprocessing);
        return { letterbox, feeds: this.#feeds(letterbox.input, [size, size], heads), hasRun: false };
      });
    if (!takesAnySize(session)) return;
    const coarse = this.#inputs.find(({ letterbox }) => letterbox.size === COARSE_SIZE)?.letterbox;
    const letterbox = coarse ?? new Letterbox(COARSE_SIZE, preprocessing);
    const data = new Float32Array(TURNED_VIEWS * letterbox.input.length);
    const feeds = this.#feeds(data, [TURNED_VIEWS * COARSE_SIZE, COARSE_SIZE], heads);
    this.#views = { letterbox, data, feeds };
  }

  /**
   * Finds faces at every input size, smallest first, and merges them under one suppression, as InsightFace does.
   *
   * @param threshold minimum score, 0..1.
   * @returns best score first.
   */
  async detectFaces(
    picture: Pixels,
    threshold: number,
    options: SearchOptions = {},
  ): Promise<DetectedFace[]> {
    const locked = this.#mutex.lock();
    if (locked) await locked;
    try {
      return await this.#search(picture, threshold, options);
    } finally {
      this.#mutex.unlock();
    }
  }

  /**
   * Finds how sure the detector is of the best face in a coarse view of the picture, after each quarter turn clockwise.
   *
   * @returns the highest scores at 90, 180 and 270 degrees, 0..1; all 0 for a graph that takes a single size.
   */
  async scoreTurns(picture: Pixels): Promise<[number, number, number]> {
    if (this.#views === undefined) return [0, 0, 0];
    const { letterbox, data, feeds } = this.#views;
    const locked = this.#mutex.lock();
    if (locked) await locked;
    try {
      this.#threshold[0] = NO_SCORE;
      letterbox.fit(picture);
      drawTurnedViews(letterbox, data);
      const results = await this.#session.run(feeds);
      const maps = STRIDES.map((_, level) => results[this.#session.outputNames[level] as string]?.data);
      return highestInViews(maps as Float32Array[]);
    } finally {
      this.#mutex.unlock();
    }
  }

  async #search(
    picture: Pixels,
    threshold: number,
    { isEnough, coresIdle = false }: SearchOptions,
  ): Promise<DetectedFace[]> {
    this.#threshold[0] = threshold - SCORE_ROUNDING;
    const candidates: Candidate[] = [];
    let kept: Candidate[] = [];
    for (const input of this.#inputs) {
      const { size } = input.letterbox;
      const scale = input.letterbox.fit(picture);
      const session = coresIdle && size >= MIN_MULTI_THREAD_SIZE ? this.#multiThreadSession : this.#session;
      const outputs = await this.#run(session, input);
      const maps = STRIDES.map((stride, level): FeatureMap => {
        const columns = size / stride;
        return { head: this.#headOf(outputs, level, columns), stride, columns, scale };
      });
      collectCandidates(maps, threshold, MAX_CANDIDATES, candidates);
      candidates.sort(byScore);
      dropWorst(candidates, MAX_CANDIDATES);
      kept = suppressOverlaps(candidates, HIGHEST_MAX_FACES);
      if (isEnough?.(kept, scale)) break;
    }
    return kept.map(({ score, box, landmarks }) => ({ score, box, landmarks }));
  }

  #headOf(outputs: readonly Output[], level: number, columns: number): Head {
    const [scores, second, third] = [0, 1, 2].map((kind) => outputs[kind * STRIDES.length + level]);
    const prepared = this.#heads?.[level];
    if (prepared)
      return new LazyHead(
        scores as Float32Array,
        second as Float32Array,
        third as Uint8Array,
        prepared,
        columns,
      );
    return new DenseHead(scores as Float32Array, second as Float32Array, third as Float32Array);
  }

  /**
   * @returns the scores of the three strides, then the boxes and the landmarks; with deferred heads, the features and the
   *   flags of their rows instead.
   */
  async #run(session: ort.InferenceSession, input: DetectorInput): Promise<readonly Output[]> {
    // No preallocated outputs: ONNX Runtime would copy them into new memory all the same.
    const results = await session.run(input.feeds);
    const outputs = session.outputNames.map((name) => results[name]?.data as Output);
    if (!input.hasRun) assertOutputs(outputs, input.letterbox.size, this.#heads);
    input.hasRun = true;
    return outputs;
  }

  /** @param dims height and width. */
  #feeds(
    input: Float32Array<ArrayBuffer>,
    dims: readonly [number, number],
    heads: DeferredHeads | undefined,
  ): DetectorInput['feeds'] {
    const [name = ''] = this.#session.inputNames;
    const feeds: DetectorInput['feeds'] = { [name]: new ort.Tensor('float32', input, [1, 3, ...dims]) };
    if (heads) feeds[heads.threshold] = new ort.Tensor('float32', this.#threshold, [1]);
    return feeds;
  }
}

type Output = Float32Array | Uint8Array;

/** One input size. It is reused from picture to picture. */
interface DetectorInput {
  letterbox: Letterbox;
  feeds: Record<string, ort.Tensor>;
  hasRun: boolean;
}

function takesAnySize({ inputMetadata: [input] }: ort.InferenceSession): boolean {
  return input?.isTensor === true && input.shape.slice(2).every((side) => typeof side !== 'number');
}

function byScore(a: Candidate, b: Candidate): number {
  return b.score - a.score;
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
  const expectedLengths = heads
    ? [expected(() => ANCHORS), heads.map(keptFeatures), STRIDES.map((stride) => size / stride)]
    : [1, BOX_VALUES, LANDMARK_VALUES].map((values) => expected(() => ANCHORS * values));
  if (JSON.stringify(lengths) !== JSON.stringify(expectedLengths.flat())) {
    throw new Error('The detector does not have the nine outputs of SCRFD with landmarks.');
  }
}
