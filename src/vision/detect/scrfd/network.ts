import * as ort from 'onnxruntime-node';
import type { DeferredHeads } from '../../../onnx/rewrite/deferred-heads.ts';
import { ANCHORS, BOX_VALUES, LANDMARK_VALUES, STRIDES } from '../../../onnx/scrfd-outputs.ts';
import type { ScoreScale } from '../face-detector.ts';
import { type DetectorNetwork, type DetectorRun, type Feeds, takesAnySize } from '../letterbox-detector.ts';
import type { OverlapRule } from '../nms.ts';
import { ScrfdMap } from './feature-map.ts';
import { DenseHead, type Head, LazyHead, type PreparedHead, prepareHead } from './heads.ts';

/** Source: insightface, model_zoo/scrfd.py. */
export const SCRFD_OVERLAP: OverlapRule = { maxOverlap: 0.4, extra: 1 };

/**
 * Faces in turned photographs reach 0.75, and 99 % of those in upright ones reach 0.80. `confident` was chosen on LFW:
 * test/accuracy/lfw.test.ts measures its cost there.
 */
export const SCRFD_SCALE: ScoreScale = { upright: 0.78, turnGain: 0.05, confident: 0.7 };

/**
 * Margin by which the graph's threshold is lower than the caller's, so that the graph keeps the features of every anchor
 * that passes here: the graph computes the same scores once more for it, and may round them differently.
 */
const SCORE_ROUNDING = 1e-5;

/** A threshold that no score reaches: a graph with deferred heads then computes scores only. */
const NO_SCORE = 2;

type Output = Float32Array | Uint8Array;

/**
 * SCRFD: an anchor-free face detector with a score, a box and five landmarks for two anchors at each cell of three
 * feature maps (Guo et al., "Sample and Computation Redistribution for Efficient Face Detection", 2021).
 */
export class ScrfdNetwork implements DetectorNetwork {
  readonly takesAnySize: boolean;
  readonly #session: ort.InferenceSession;
  readonly #multiThreadSession: ort.InferenceSession;
  readonly #heads: readonly PreparedHead[] | undefined;
  readonly #thresholdInput: string | undefined;
  /** The threshold as the input of a graph with deferred heads: one number. */
  readonly #threshold = new Float32Array(1);
  /** Input sizes whose outputs were verified. */
  readonly #verified = new Set<number>();

  constructor(
    session: ort.InferenceSession,
    options: {
      /** The same graph with more threads, for when the cores are idle. */
      multiThreadSession?: ort.InferenceSession | undefined;
      /** The heads that the graph leaves out, one for each stride; undefined for a complete graph. */
      heads?: DeferredHeads | undefined;
    } = {},
  ) {
    this.#session = session;
    this.#multiThreadSession = options.multiThreadSession ?? session;
    this.#heads = options.heads?.levels.map(prepareHead);
    this.#thresholdInput = options.heads?.threshold;
    this.takesAnySize = takesAnySize(session);
  }

  feedsFor(input: Float32Array<ArrayBuffer>, height: number, width: number): Feeds {
    const [name = ''] = this.#session.inputNames;
    const feeds: Feeds = { [name]: new ort.Tensor('float32', input, [1, 3, height, width]) };
    if (this.#thresholdInput) feeds[this.#thresholdInput] = new ort.Tensor('float32', this.#threshold, [1]);
    return feeds;
  }

  async run({ feeds, size, scale, threshold, multiThread }: DetectorRun): Promise<ScrfdMap[]> {
    this.#threshold[0] = threshold - SCORE_ROUNDING;
    const session = multiThread ? this.#multiThreadSession : this.#session;
    // No preallocated outputs: ONNX Runtime would copy them into new memory all the same.
    const results = await session.run(feeds);
    // The scores of the three strides, then the boxes and the landmarks; with deferred heads, the features and the flags of
    // their rows instead.
    const outputs = session.outputNames.map((name) => results[name]?.data as Output);
    if (!this.#verified.has(size)) assertOutputs(outputs, size, this.#heads);
    this.#verified.add(size);
    return STRIDES.map((stride, level) => {
      const columns = size / stride;
      return new ScrfdMap(this.#headOf(outputs, level, columns), { stride, columns, scale });
    });
  }

  async runForScores(feeds: Feeds): Promise<Float32Array[]> {
    this.#threshold[0] = NO_SCORE;
    const results = await this.#session.run(feeds);
    return STRIDES.map(
      (_, level) => results[this.#session.outputNames[level] as string]?.data as Float32Array,
    );
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
