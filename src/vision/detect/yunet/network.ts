import * as ort from 'onnxruntime-node';
import {
  YUNET_BOX_VALUES,
  YUNET_LANDMARK_VALUES,
  YUNET_STRIDES,
  yunetOutputName,
} from '../../../onnx/yunet-outputs.ts';
import type { ScoreScale } from '../face-detector.ts';
import { type DetectorNetwork, type DetectorRun, type Feeds, takesAnySize } from '../letterbox-detector.ts';
import type { OverlapRule } from '../nms.ts';
import { YunetMap, type YunetOutputs, yunetScores } from './feature-map.ts';

/** Source: opencv, FaceDetectorYN::create, whose default it is. */
export const YUNET_OVERLAP: OverlapRule = { maxOverlap: 0.3, extra: 0 };

/**
 * Input pixels per picture pixel. It finds half of the faces that are 20 input pixels wide: at this enlargement of 13 pixels of the
 * picture, and no recogniser tells smaller ones apart. docs/DETECTION.md has the measurements.
 */
export const YUNET_ENLARGEMENT = 1.5;

/**
 * Faces in photographs of LFW that are upside down reach 0.906, and 98 % of those in upright ones reach 0.91: all scores of YuNet are
 * close together. docs/DETECTION.md has the measurements.
 */
export const YUNET_SCALE: ScoreScale = { upright: 0.91, turnGain: 0.01, confident: 0.85 };

/**
 * YuNet: a small anchor-free face detector with two scores, a box and five landmarks at each cell of three feature maps (Wu et al.,
 * "YuNet: A Tiny Millisecond-level Face Detector", 2023).
 */
export class YunetNetwork implements DetectorNetwork {
  readonly takesAnySize: boolean;
  readonly #session: ort.InferenceSession;
  readonly #multiThreadSession: ort.InferenceSession;
  /** Input sizes whose outputs were verified. */
  readonly #verified = new Set<number>();

  constructor(
    session: ort.InferenceSession,
    {
      multiThreadSession = session,
    }: {
      /** The same graph with more threads, for when the cores are idle. */
      multiThreadSession?: ort.InferenceSession | undefined;
    } = {},
  ) {
    this.#session = session;
    this.#multiThreadSession = multiThreadSession;
    this.takesAnySize = takesAnySize(session);
  }

  feedsFor(input: Float32Array<ArrayBuffer>, height: number, width: number): Feeds {
    const [name = ''] = this.#session.inputNames;
    return { [name]: new ort.Tensor('float32', input, [1, 3, height, width]) };
  }

  async run({ feeds, size, scale, multiThread }: DetectorRun): Promise<YunetMap[]> {
    const results = await (multiThread ? this.#multiThreadSession : this.#session).run(feeds);
    const levels = YUNET_STRIDES.map((stride) => ({ stride, outputs: outputsOf(results, stride) }));
    if (!this.#verified.has(size))
      for (const { stride, outputs } of levels) assertOutputs(outputs, size / stride);
    this.#verified.add(size);
    return levels.map(
      ({ stride, outputs }) => new YunetMap(outputs, { stride, columns: size / stride, scale }),
    );
  }

  async runForScores(feeds: Feeds): Promise<Float32Array[]> {
    const results = await this.#session.run(feeds);
    return YUNET_STRIDES.map((stride) => yunetScores(outputsOf(results, stride)));
  }
}

function outputsOf(results: ort.InferenceSession.ReturnType, stride: number): YunetOutputs {
  const output = (kind: keyof YunetOutputs) => results[yunetOutputName(kind, stride)]?.data as Float32Array;
  return { cls: output('cls'), obj: output('obj'), bbox: output('bbox'), kps: output('kps') };
}

/** @param columns cells in a row, and rows. */
function assertOutputs({ cls, obj, bbox, kps }: YunetOutputs, columns: number): void {
  const values = [cls, obj, bbox, kps].map((output) => (output?.length ?? 0) / columns ** 2);
  if (values.join() !== [1, 1, YUNET_BOX_VALUES, YUNET_LANDMARK_VALUES].join()) {
    throw new Error('The detector does not have the twelve outputs of YuNet.');
  }
}
