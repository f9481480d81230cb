import { basename } from 'node:path';
import * as ort from 'onnxruntime-node';
import { errorMessage } from '../../errors.ts';
import { readVerified } from '../../packs/file-hash.ts';
import type { LivenessNetwork } from '../../packs/liveness/identify-network.ts';
import type { LivenessWeights } from '../../packs/liveness/weights.ts';
import type { DetectedFace } from '../detect/face.ts';
import type { Pixels } from '../picture.ts';
import type { PictureQuality } from '../quality/quality.ts';
import { relativeDetail } from '../quality/quality-score.ts';
import { openSession } from '../session.ts';
import { type LivenessReason, liveProbability, networkInput, RECIPES } from './network-input.ts';

/**
 * Relative detail below which a face is too blurred. What tells a photograph of a photograph, print dots and the grid of a screen, is
 * gone by then: of minivision's first spoof, blurred and saved as a JPEG of quality 60 to 95, facenox calls live what has less than
 * 10^−2.2 (docs/LIVENESS.md). No photograph of LFW has less than 10^−2.06.
 */
const MIN_DETAIL = 10 ** -2.1;

/** What a request asks of liveness. */
export interface LivenessOptions {
  /** Whether a face that is not live is refused before it is recognised. */
  required: boolean;
  /** The score from which a face is live, 0..1; without it, faces are scored and not judged. */
  threshold?: number | undefined;
}

/** How live a face looks. */
export interface FaceLiveness {
  /** Probability that the face is live, 0..1, as the model estimates it; null if the model cannot judge this face. */
  score: number | null;
  /** Null without a score, and without a threshold. */
  live: boolean | null;
  /** What gave the score: scores of different models cannot be compared. */
  model: string;
  /** Why there is no score. */
  reason?: LivenessReason;
}

type OpenNetwork = LivenessNetwork & { session: ort.InferenceSession };

/** The networks of a liveness model. They run on the processor, whatever runs the others: each takes a millisecond or a few. */
export class LivenessModel {
  readonly name: string;
  readonly #networks: readonly OpenNetwork[];

  private constructor(name: string, networks: readonly OpenNetwork[]) {
    this.name = name;
    this.#networks = networks;
  }

  /**
   * Loads the networks and runs each on a few inputs.
   *
   * @throws {Error} naming the file, when it changed, ONNX Runtime cannot use it, or what it gives is no probability.
   */
  static async open({ model, files }: LivenessWeights, threads: number): Promise<LivenessModel> {
    const networks: OpenNetwork[] = [];
    for (const file of files) {
      const bytes = await readVerified(file);
      try {
        const network = { ...file, session: await openSession(bytes, { device: 'cpu', threads }) };
        for (const input of probesOf(file)) await run(network, input);
        networks.push(network);
      } catch (error) {
        throw new Error(
          `The liveness network ${basename(file.path)} cannot be used. ${errorMessage(error)}`,
          { cause: error },
        );
      }
    }
    return new LivenessModel(model, networks);
  }

  /**
   * Scores a face: the mean of what the networks give.
   *
   * @param quality of the face, for its blur.
   */
  async assess(
    picture: Pixels,
    face: Pick<DetectedFace, 'box' | 'landmarks'>,
    quality: PictureQuality,
    { threshold }: LivenessOptions,
  ): Promise<FaceLiveness> {
    const model = this.name;
    const inputs = this.#networks.map((network) => networkInput(picture, face, network));
    const unfit = inputs.find((input) => typeof input === 'string');
    const reason = unfit ?? (relativeDetail(quality) < MIN_DETAIL ? 'TOO_BLURRED' : undefined);
    if (reason) return { score: null, live: null, model, reason };
    let sum = 0;
    for (const [index, network] of this.#networks.entries()) {
      sum += await run(network, inputs[index] as Float32Array<ArrayBuffer>);
    }
    const score = sum / this.#networks.length;
    return { score, live: threshold === undefined ? null : score >= threshold, model };
  }
}

/**
 * A black face, a white one, and stripes: a network whose output is no probability, such as one cut off before its sigmoid, mostly
 * shows it by one of them, and not only by the first face of a caller.
 */
function probesOf({ family }: LivenessNetwork): Float32Array<ArrayBuffer>[] {
  const { side, divisor } = RECIPES[family];
  const levels = [() => 0, () => 255, (index: number) => (index % 16 < 8 ? 40 : 200)];
  return levels.map((level) => Float32Array.from({ length: 3 * side * side }, (_, i) => level(i) / divisor));
}

/** @returns the probability that the face of the input is live. */
async function run({ session, family }: OpenNetwork, input: Float32Array<ArrayBuffer>): Promise<number> {
  const { side } = RECIPES[family];
  const [inputName] = session.inputNames as [string];
  const [outputName] = session.outputNames as [string];
  const outputs = await session.run({ [inputName]: new ort.Tensor('float32', input, [1, 3, side, side]) });
  return liveProbability(outputs[outputName]?.data as Float32Array, family);
}

/** Why a face fails a request that requires a live one, for callers; undefined if it is live. */
export function livenessFailure(
  { score, live, reason }: FaceLiveness,
  { threshold }: LivenessOptions,
): string | undefined {
  if (live) return undefined;
  if (score === null) return `no score: ${reason}`;
  return `the score ${score.toPrecision(4)} is below the threshold ${threshold}`;
}
