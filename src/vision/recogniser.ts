import * as ort from 'onnxruntime-node';
import { fitSimilarity, type Landmarks, landmarkTemplate, warpFace } from './alignment.ts';
import type { Picture } from './decode.ts';
import { type Normalisation, tabulateNormalisation } from './normalisation.ts';

/** ArcFace: an aligned face in, an embedding out (Deng et al., "ArcFace: Additive Angular Margin Loss", 2019). */
export class FaceRecogniser {
  readonly #session: ort.InferenceSession;
  readonly #normalisation: Normalisation;
  readonly #size: number;
  readonly #template: number[];
  /** The aligned face as network input, kept between faces. */
  readonly #input: Float32Array<ArrayBuffer>;

  constructor(
    session: ort.InferenceSession,
    options: { inputSize: number; preprocessing: { mean: number; std: number } },
  ) {
    this.#session = session;
    this.#normalisation = tabulateNormalisation(options.preprocessing);
    this.#size = options.inputSize;
    this.#template = landmarkTemplate(options.inputSize);
    this.#input = new Float32Array(3 * options.inputSize ** 2);
  }

  /** Warps the face onto the recogniser's template; {@link embedAligned} then embeds it. */
  alignFace(picture: Picture, landmarks: Landmarks): void {
    warpFace(picture, fitSimilarity(landmarks, this.#template), this.#size, this.#normalisation, this.#input);
  }

  /** @returns the embedding of the face aligned last, L2 norm 1. */
  async embedAligned(): Promise<Float32Array<ArrayBuffer>> {
    const [inputName] = this.#session.inputNames;
    const [outputName] = this.#session.outputNames;
    const input = new ort.Tensor('float32', this.#input, [1, 3, this.#size, this.#size]);
    const results = await this.#session.run({ [inputName as string]: input });
    const output = results[outputName as string]?.data as Float32Array;
    const norm = Math.sqrt(output.reduce((sum, value) => sum + value * value, 0));
    if (!(norm > 0 && Number.isFinite(norm)))
      throw new Error('The recogniser gave an embedding without a direction.');
    return Float32Array.from(output, (value) => value / norm);
  }
}
