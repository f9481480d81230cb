/** The network input value of each of the 256 levels of a channel. */
export type Normalisation = Float32Array;

/** Tabulates (x − mean) / std for x = 0..255, so that normalising a pixel is one look-up. */
export function tabulateNormalisation({ mean, std }: { mean: number; std: number }): Normalisation {
  return Float32Array.from({ length: 256 }, (_, level) => (level - mean) / std);
}
