import { ServiceError } from '../../../errors.ts';

/*
 * What a picture may make the decoders do beyond decoding its pixels. Files of a few kilobytes can keep them busy for minutes,
 * and nothing ends a decoder that runs. Ordinary files stay far below each limit. Figures are processor time of one picture;
 * test/soak/decode-worst-cases.test.ts measures the worst files within the limits.
 */

/** Longer side to shorter side. libvips takes up to 4 µs for a row, however short: 1 × 49,000,000 pixels took 30 s. */
export const MAX_ASPECT_RATIO = 100;
/** Sides up to this length are not limited by MAX_ASPECT_RATIO: 1 × 1,000 pixels take 4 ms. */
export const ANY_ASPECT_SIDE = 1000;

/**
 * Segments of a JPEG, chunks of a PNG or a WebP with less than SMALL_PIECE bytes. Libraries take up to 2 µs for one, for
 * example to warn of it; ordinary files have fewer than 100. Longer ones are limited by MAX_IMAGE_SIZE.
 */
const MAX_SMALL_PIECES = 5000;
const SMALL_PIECE = 1024;

/** Frames of an animation, of which the first is decoded. libwebp takes time in their square: 10,000 took 200 ms. */
export const MAX_FRAMES = 2000;

/** Colour profile. Those of printing presses have up to 3 MB; libvips reads 9 MB in 35 ms. */
export const MAX_PROFILE_BYTES = 4 * 1024 * 1024;

export interface Size {
  width: number;
  height: number;
}

/** @throws {ServiceError} INVALID_IMAGE. */
export function refuse(detail: string): never {
  throw new ServiceError('INVALID_IMAGE', { detail });
}

/** Counts the small pieces of a file, and refuses too many. */
export class PieceCounter {
  #small = 0;

  add(length: number): void {
    if (length >= SMALL_PIECE) return;
    this.#small++;
    if (this.#small > MAX_SMALL_PIECES) {
      refuse(`More than ${MAX_SMALL_PIECES} segments or chunks of less than ${SMALL_PIECE} bytes.`);
    }
  }
}
