import type * as ort from 'onnxruntime-node';
import { HIGHEST_MAX_FACES } from '../../config/settings.ts';
import { Mutex } from '../../threads/mutex.ts';
import type { Pixels } from '../picture.ts';
import {
  type Candidate,
  collectCandidates,
  dropWorst,
  type FeatureMap,
  MAX_CANDIDATES,
} from './candidates.ts';
import type { DetectedFace } from './face.ts';
import type { FaceDetector, ScoreScale, SearchOptions } from './face-detector.ts';
import { Letterbox, type LetterboxOptions } from './letterbox.ts';
import { type OverlapRule, suppressOverlaps } from './nms.ts';
import { drawTurnedViews, highestInViews, TURNED_VIEWS } from './turned-views.ts';

/** Smallest input size that gains from more threads; at 128 they gain nothing. */
const MIN_MULTI_THREAD_SIZE = 256;

/** The input size for a coarse view: its run takes a twenty-fifth of the work of one at 640, and a face of an ordinary portrait is found. */
const COARSE_SIZE = 128;

/** Shares of a configured size that take its place for small pictures, smallest first: few, so that few inputs are in memory. */
const SHRUNKEN = [1 / 2, 3 / 4] as const;

/** Every stride of the families divides it. In pixels. */
const SIZE_STEP = 32;

/** What a network is fed with, by the names of its inputs. */
export type Feeds = Record<string, ort.Tensor>;

/** One run of a network on a letterboxed picture. */
export interface DetectorRun {
  feeds: Feeds;
  /** Side of the square input, in pixels. */
  size: number;
  /** Input pixels per picture pixel. */
  scale: number;
  /** Minimum score of an anchor that is looked at afterwards, 0..1. */
  threshold: number;
  /** Whether to use the session with more threads. */
  multiThread: boolean;
}

/** The part of a {@link LetterboxDetector} that differs between families: what goes into the network, and what its outputs mean. */
export interface DetectorNetwork {
  /** Whether the graph takes inputs of any height and width. */
  readonly takesAnySize: boolean;
  /** @param input 3 × height × width numbers, which change from run to run. */
  feedsFor(input: Float32Array<ArrayBuffer>, height: number, width: number): Feeds;
  /** @throws {Error} if the outputs are not those of the family. */
  run(run: DetectorRun): Promise<FeatureMap[]>;
  /** The scores of all anchors for each stride, row by row, and nothing else. */
  runForScores(feeds: Feeds): Promise<Float32Array[]>;
}

/** A square input and what it is fed with. */
interface Input {
  letterbox: Letterbox;
  feeds: Feeds;
}

/**
 * A detector that looks at a picture in one or more square inputs, into which it is letterboxed, and has a candidate at each
 * cell of its feature maps.
 */
export class LetterboxDetector implements FaceDetector {
  readonly scale: ScoreScale;
  readonly #network: DetectorNetwork;
  readonly #overlap: OverlapRule;
  /** For each configured size the inputs to choose from; all smallest first. They are reused from picture to picture. */
  readonly #inputs: Input[][];
  readonly #enlargement: number;
  /** For {@link scoreTurns}; undefined for a graph that takes a single size. */
  readonly #views: { letterbox: Letterbox; data: Float32Array<ArrayBuffer>; feeds: Feeds } | undefined;
  /**
   * Held for one picture at a time. Pictures share the inputs, and ONNX Runtime reads them some time after run() is called,
   * when this thread may already process another picture. A run takes one picture, so only faces are batched.
   */
  readonly #mutex = new Mutex();

  /**
   * @param options.sizes sides of the square inputs, in pixels.
   * @param options.enlargement input pixels per picture pixel that are enough: of a small picture, inputs above the smallest are
   * half or three quarters as large where that is as much. Without it, every picture is seen at every size.
   */
  constructor(
    network: DetectorNetwork,
    options: {
      sizes: readonly number[];
      letterbox: LetterboxOptions;
      overlap: OverlapRule;
      scale: ScoreScale;
      enlargement?: number | undefined;
    },
  ) {
    this.scale = options.scale;
    this.#network = network;
    this.#overlap = options.overlap;
    this.#enlargement = options.enlargement ?? Number.POSITIVE_INFINITY;
    const shrunken = options.enlargement !== undefined && network.takesAnySize ? SHRUNKEN : [];
    const sizes = options.sizes.toSorted((a, b) => a - b);
    this.#inputs = sizes.map((size, i) => {
      const smaller =
        i === 0 ? [] : shrunken.map((share) => Math.ceil((size * share) / SIZE_STEP) * SIZE_STEP);
      return [...smaller, size].map((side) => {
        const letterbox = new Letterbox(side, options.letterbox);
        return { letterbox, feeds: network.feedsFor(letterbox.input, side, side) };
      });
    });
    if (!network.takesAnySize) return;
    const coarse = this.#inputs.flat().find(({ letterbox }) => letterbox.size === COARSE_SIZE)?.letterbox;
    const letterbox = coarse ?? new Letterbox(COARSE_SIZE, options.letterbox);
    const data = new Float32Array(TURNED_VIEWS * letterbox.input.length);
    const feeds = network.feedsFor(data, TURNED_VIEWS * COARSE_SIZE, COARSE_SIZE);
    this.#views = { letterbox, data, feeds };
  }

  /** Finds faces at every input size, smallest first, and merges them under one suppression, as InsightFace does with SCRFD. */
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

  async scoreTurns(picture: Pixels): Promise<[number, number, number]> {
    if (this.#views === undefined) return [0, 0, 0];
    const { letterbox, data, feeds } = this.#views;
    const locked = this.#mutex.lock();
    if (locked) await locked;
    try {
      letterbox.fit(picture);
      drawTurnedViews(letterbox, data);
      return highestInViews(await this.#network.runForScores(feeds));
    } finally {
      this.#mutex.unlock();
    }
  }

  async #search(
    picture: Pixels,
    threshold: number,
    { isEnough, coresIdle = false }: SearchOptions,
  ): Promise<DetectedFace[]> {
    const candidates: Candidate[] = [];
    let kept: Candidate[] = [];
    let seen = 0;
    for (const { letterbox, feeds } of this.#inputsFor(picture)) {
      const { size } = letterbox;
      if (size <= seen) continue;
      seen = size;
      const scale = letterbox.fit(picture);
      const multiThread = coresIdle && size >= MIN_MULTI_THREAD_SIZE;
      const maps = await this.#network.run({ feeds, size, scale, threshold, multiThread });
      collectCandidates(maps, threshold, MAX_CANDIDATES, candidates);
      candidates.sort(byScore);
      dropWorst(candidates, MAX_CANDIDATES);
      kept = suppressOverlaps(candidates, HIGHEST_MAX_FACES, this.#overlap);
      if (isEnough?.(kept, scale)) break;
    }
    return kept.map(({ score, box, landmarks }) => ({ score, box, landmarks }));
  }

  /** One for each configured size. Two may be of the same size, or a later one the smaller. */
  #inputsFor({ width, height }: Pixels): Input[] {
    const enough = this.#enlargement * Math.max(width, height);
    return this.#inputs.map(
      (inputs) => inputs.find(({ letterbox }) => letterbox.size >= enough) ?? (inputs.at(-1) as Input),
    );
  }
}

/** Whether the sides of a session's only picture input have names instead of numbers. */
export function takesAnySize({ inputMetadata: [input] }: ort.InferenceSession): boolean {
  return input?.isTensor === true && input.shape.slice(2).every((side) => typeof side !== 'number');
}

function byScore(a: Candidate, b: Candidate): number {
  return b.score - a.score;
}
