/** The network's input value for each of the 256 levels of a channel. */
export type Normalisation = Float32Array;

/** Tabulates (x − mean) / std for x = 0..255, so that a channel is normalised by one look-up. */
export function tabulateNormalisation({ mean, std }: { mean: number; std: number }): Normalisation {
  return Float32Array.from({ length: 256 }, (_, level) => (level - mean) / std);
}

/**
 * Writes pixels as network input: three planes of floats, R, G, B.
 *
 * @param pixels interleaved R, G, B.
 * @param input as many floats; overwritten.
 */
export function normalisePixels(pixels: Uint8Array, normalisation: Normalisation, input: Float32Array): void {
  const plane = pixels.length / 3;
  const red = input.subarray(0, plane);
  const green = input.subarray(plane, 2 * plane);
  const blue = input.subarray(2 * plane, 3 * plane);
  for (let i = 0, pixel = 0; i < plane; i++, pixel += 3) {
    red[i] = normalisation[pixels[pixel] as number] as number;
    green[i] = normalisation[pixels[pixel + 1] as number] as number;
    blue[i] = normalisation[pixels[pixel + 2] as number] as number;
  }
}
