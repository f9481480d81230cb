import type { ChannelOrder } from '../../packs/pack.ts';

/** The network's input value for each of the 256 levels of a channel. */
export type Normalisation = Float32Array;

/** Tabulates (x − mean) / std for x = 0..255, so that a channel is normalised by one look-up. */
export function tabulateNormalisation({ mean, std }: { mean: number; std: number }): Normalisation {
  return Float32Array.from({ length: 256 }, (_, level) => (level - mean) / std);
}

/**
 * Writes pixels as network input: three planes of floats.
 *
 * @param pixels interleaved R, G, B.
 * @param input as many floats; overwritten.
 * @param order of the planes.
 */
export function normalisePixels(
  pixels: Uint8Array,
  normalisation: Normalisation,
  input: Float32Array,
  order: ChannelOrder,
): void {
  const plane = pixels.length / 3;
  const first = input.subarray(0, plane);
  const green = input.subarray(plane, 2 * plane);
  const last = input.subarray(2 * plane, 3 * plane);
  const [red, blue] = order === 'rgb' ? [first, last] : [last, first];
  for (let i = 0, pixel = 0; i < plane; i++, pixel += 3) {
    red[i] = normalisation[pixels[pixel] as number] as number;
    green[i] = normalisation[pixels[pixel + 1] as number] as number;
    blue[i] = normalisation[pixels[pixel + 2] as number] as number;
  }
}
