/**
 * A generator of unsigned 32-bit integers. It uses integer operations only, so a seed gives the same numbers on every
 * machine. Source: G. Marsaglia, "Xorshift RNGs", Journal of Statistical Software 8 (14), 2003.
 *
 * @param seed not 0.
 */
export function xorshift32(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
