import type { Pixels } from '../picture.ts';
import { PictureInput, type PictureInputOptions } from './picture-input.ts';

export type LetterboxOptions = PictureInputOptions;

/**
 * A square network input into which pictures are resized with their aspect ratio kept. The fit is InsightFace's (scrfd.py): the
 * longer side fills the square, the other is truncated.
 */
export class Letterbox {
  readonly size: number;
  readonly #input: PictureInput;

  /** @param size side in pixels, a multiple of 32. */
  constructor(size: number, options: LetterboxOptions) {
    this.size = size;
    this.#input = new PictureInput(size, size, options);
  }

  /** Normalised pixels. The next picture overwrites them. */
  get input(): Float32Array<ArrayBuffer> {
    return this.#input.input;
  }

  /** @returns input pixels per picture pixel; detector coordinates divided by it are picture coordinates. */
  fit(picture: Pixels): number {
    const { size } = this;
    const { width, height } = picture;
    const portrait = height > width;
    const fittedHeight = portrait ? size : Math.max(1, Math.trunc(size * (height / width)));
    const fittedWidth = portrait ? Math.max(1, Math.trunc(size / (height / width))) : size;
    this.#input.draw(picture, fittedWidth, fittedHeight);
    // InsightFace's scale. In a picture so wide that less than one row is left, that row shows it higher than it is.
    return Math.min(fittedHeight / height, size / Math.max(width, height));
  }
}
