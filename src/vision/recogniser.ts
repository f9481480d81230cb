import * as ort from 'onnxruntime-node';
import {
  fitSimilarity,
  type Landmarks,
  landmarkTemplate,
  type SimilarityTransform,
  warpFace,
} from './alignment.ts';
import type { Pixels } from './decode.ts';
import { type Normalisation, normalisePixels, tabulateNormalisation } from './normalisation.ts';

/** A face as the recogniser sees it. Its pixels are those of the next face once that is aligned. */
export interface AlignedFace {
  /** size × size × 3 bytes, interleaved R, G, B; black where the picture ends. */
  pixels: Uint8Array;
  size: number;
  /** From the picture to these pixels. */
  transform: SimilarityTransform;
}

/** ArcFace: an aligned face in, an embedding out (Deng et al., "ArcFace: Additive Angular Margin Loss", 2019). */
export class FaceRecogniser {
  readonly #session: ort.InferenceSession;
  readonly #normalisation: Normalisation;
  readonly #size: number;
  readonly #template: number[];
  /** The aligned face, and the same as network input; kept between faces. */
  readonly #pixels: Uint8Array;
  readonly #input: Float32Array<ArrayBuffer>;

  constructor(
    session: ort.InferenceSession,
    options: { inputSize: number; preprocessing: { mean: number; std: number } },
  ) {
    this.#session = session;
    this.#normalisation = tabulateNormalisation(options.preprocessing);
    this.#size = options.inputSize;
    this.#template = landmarkTemplate(options.inputSize);
    this.#pixels = new Uint8Array(3 * options.inputSize ** 2);
    this.#input = new Float32Array(3 * options.inputSize ** 2);
  }

  /** Warps the face onto the recogniser's template; {@link embedAligned} then embeds it. */
  alignFace(picture: Pixels, landmarks: Landmarks): AlignedFace {
    const transform = fitSimilarity(landmarks, this.#template);
    warpFace(picture, transform, this.#size, this.#pixels);
    return { pixels: this.#pixels, size: this.#size, transform };
  }

  /** @returns the embedding of the face aligned last, scaled to L2 norm 1, and the norm it had. */
  async embedAligned(): Promise<{ embedding: Float32Array<ArrayBuffer>; norm: number }> {
    normalisePixels(this.#pixels, this.#normalisation, this.#input);
    const [inputName] = this.#session.inputNames;
    const [outputName] = this.#session.outputNames;
    const input = new ort.Tensor('float32', this.#input, [1, 3, this.#size, this.#size]);
    const results = await this.#session.run({ [inputName as string]: input });
    const output = results[outputName as string]?.data as Float32Array;
    const norm = Math.sqrt(output.reduce((sum, value) => sum + value * value, 0));
    if (!(norm > 0 && Number.isFinite(norm)))
      throw new Error('The recogniser gave an embedding without a direction.');
    return { embedding: Float32Array.from(output, (value) => value / norm), norm };
  }
}
