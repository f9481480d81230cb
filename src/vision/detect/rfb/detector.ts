import * as ort from 'onnxruntime-node';
import { HIGHEST_MAX_FACES } from '../../../config/settings.ts';
import { RFB_BOX_VALUES, RFB_CLASSES, RFB_INPUT, RFB_OUTPUTS } from '../../../onnx/rfb-outputs.ts';
import { Mutex } from '../../../threads/mutex.ts';
import type { Pixels } from '../../picture.ts';
import type { DetectedFace } from '../face.ts';
import type { FaceDetector, ScoreScale, SearchOptions } from '../face-detector.ts';
import { type OverlapRule, suppressOverlaps } from '../nms.ts';
import { PictureInput, type PictureInputOptions } from '../picture-input.ts';
import { highestScore, type RfbOutputs, readCandidates } from './candidates.ts';
import { fittedSize } from './fit.ts';
import type { LandmarkFinder } from './landmark-finder.ts';
import { type QuarterTurn, turnInput } from './turn-input.ts';

/** Source: Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB, vision/ssd/config/fd_config.py. */
const RFB_OVERLAP: OverlapRule = { maxOverlap: 0.3, extra: 0 };

/**
 * Softened scores (scores.ts) of upright faces lie where SCRFD's do. But some upright faces score higher upside down: with a gain of
 * 0.05, 2 of 558 photographs of LFW are turned and get an embedding of something else; with 0.2 none, at the price of a few that
 * are turned and stay so. docs/DETECTION.md has the measurements. There is one input, so nothing is left out after a confident face.
 */
const RFB_SCALE: ScoreScale = { upright: 0.78, turnGain: 0.2, confident: 0.7 };

/** Maximum candidates that suppression compares, best scores first. At a threshold near 0 every anchor is one. */
const MAX_CANDIDATES = 1_500;

/**
 * A face detector of two networks: an SSD with receptive field blocks finds boxes in a small picture (Liu et al., "Receptive Field
 * Block Net for Accurate and Fast Object Detection", 2018; Linzaer's RFB-320), another one 68 points in each box.
 */
export class RfbDetector implements FaceDetector {
  readonly scale = RFB_SCALE;
  readonly #session: ort.InferenceSession;
  readonly #multiThreadSession: ort.InferenceSession;
  readonly #landmarks: LandmarkFinder;
  readonly #input: PictureInput;
  readonly #feeds: Record<string, ort.Tensor>;
  /** For {@link scoreTurns}: a picture whose sides change places, and what it becomes when it is turned. */
  readonly #upright: PictureInput;
  readonly #turned: { data: Float32Array<ArrayBuffer>; feeds: Record<string, ort.Tensor> };
  /** Held for one picture at a time, as pictures share the inputs. */
  readonly #mutex = new Mutex();
  #isVerified = false;

  constructor(
    session: ort.InferenceSession,
    options: {
      landmarks: LandmarkFinder;
      input: PictureInputOptions;
      /** The same graph as `session` with more threads, for when the cores are idle. */
      multiThreadSession?: ort.InferenceSession | undefined;
    },
  ) {
    this.#session = session;
    this.#multiThreadSession = options.multiThreadSession ?? session;
    this.#landmarks = options.landmarks;
    const { width, height } = RFB_INPUT;
    this.#input = new PictureInput(width, height, options.input);
    this.#feeds = this.#feedsOf(this.#input.input);
    this.#upright = new PictureInput(height, width, options.input);
    const data = new Float32Array(this.#input.input.length);
    this.#turned = { data, feeds: this.#feedsOf(data) };
  }

  /** Finds faces in one run; there is no further input size that {@link SearchOptions.isEnough} could spare. */
  async detectFaces(
    picture: Pixels,
    threshold: number,
    { coresIdle = false, choose }: SearchOptions = {},
  ): Promise<DetectedFace[]> {
    const locked = this.#mutex.lock();
    if (locked) await locked;
    try {
      const fitted = fittedSize(picture, RFB_INPUT);
      this.#input.draw(picture, fitted.width, fitted.height);
      const outputs = await this.#run(coresIdle ? this.#multiThreadSession : this.#session, this.#feeds);
      const shown = {
        width: (picture.width * RFB_INPUT.width) / fitted.width,
        height: (picture.height * RFB_INPUT.height) / fitted.height,
      };
      const candidates = readCandidates(outputs, threshold, shown, MAX_CANDIDATES);
      const kept = suppressOverlaps(candidates, HIGHEST_MAX_FACES, RFB_OVERLAP);
      if (!this.#isVerified) await this.#verifyLandmarks(picture);
      const faces: DetectedFace[] = [];
      for (const face of choose ? choose(kept) : kept)
        faces.push({ ...face, landmarks: await this.#landmarks.find(picture, face.box) });
      return faces;
    } finally {
      this.#mutex.unlock();
    }
  }

  async scoreTurns(picture: Pixels): Promise<[number, number, number]> {
    const locked = this.#mutex.lock();
    if (locked) await locked;
    try {
      // Turned by a quarter, the picture is fitted into the sides that it has then.
      const sideways = fittedSize({ width: picture.height, height: picture.width }, RFB_INPUT);
      this.#upright.draw(picture, sideways.height, sideways.width);
      const quarter = await this.#scoreTurned(this.#upright, 90);
      const threeQuarters = await this.#scoreTurned(this.#upright, 270);
      const fitted = fittedSize(picture, RFB_INPUT);
      this.#input.draw(picture, fitted.width, fitted.height);
      return [quarter, await this.#scoreTurned(this.#input, 180), threeQuarters];
    } finally {
      this.#mutex.unlock();
    }
  }

  async #scoreTurned(from: PictureInput, turn: QuarterTurn): Promise<number> {
    const { data, feeds } = this.#turned;
    turnInput(from, turn, data);
    return highestScore((await this.#run(this.#session, feeds)).scores);
  }

  async #run(session: ort.InferenceSession, feeds: Record<string, ort.Tensor>): Promise<RfbOutputs> {
    const results = await session.run(feeds);
    const [scores, boxes] = RFB_OUTPUTS.map((name) => results[name]?.data as Float32Array | undefined);
    if (!scores || !boxes || scores.length / RFB_CLASSES !== boxes.length / RFB_BOX_VALUES)
      throw new Error('The detector does not have the two outputs of RFB, scores and boxes.');
    return { scores, boxes };
  }

  /** A picture without a face would not show that the second network is unsuitable. */
  async #verifyLandmarks(picture: Pixels): Promise<void> {
    const { width, height } = picture;
    await this.#landmarks.find(picture, { left: 0, top: 0, right: width, bottom: height });
    this.#isVerified = true;
  }

  #feedsOf(data: Float32Array<ArrayBuffer>): Record<string, ort.Tensor> {
    const [name = ''] = this.#session.inputNames;
    return { [name]: new ort.Tensor('float32', data, [1, 3, RFB_INPUT.height, RFB_INPUT.width]) };
  }
}
