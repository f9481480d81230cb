/** Of the normal distribution, for 95 %. */
const Z = 1.959963984540054;

/**
 * The 95 % score interval of a share. Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical
 * Inference", Journal of the American Statistical Association 22 (1927). It holds for independent trials.
 *
 * @returns [low, high], 0..1.
 */
export function wilsonInterval(successes, trials) {
  if (trials === 0) return [0, 1];
  const share = successes / trials;
  const scale = 1 + (Z * Z) / trials;
  const centre = share + (Z * Z) / (2 * trials);
  const spread = Z * Math.sqrt((share * (1 - share)) / trials + (Z * Z) / (4 * trials * trials));
  // The formula gives the ends exactly; in floating point they miss by a hair.
  const low = successes === 0 ? 0 : (centre - spread) / scale;
  const high = successes === trials ? 1 : (centre + spread) / scale;
  return [low, high];
}

/** A share with its interval. */
export function shareOf(successes, trials) {
  return {
    count: successes,
    of: trials,
    rate: successes / trials,
    interval: wilsonInterval(successes, trials),
  };
}
