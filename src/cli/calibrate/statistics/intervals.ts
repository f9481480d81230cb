/** Low and high end. */
export type Interval = [low: number, high: number];

/** A measured share of trials with its 95 % interval. */
export interface Share {
  count: number;
  of: number;
  rate: number;
  interval: Interval;
}

/** The quantile of the standard normal distribution for 95 %. */
const Z = 1.959963984540054;

/**
 * The 95 % score interval of a share, 0..1, for independent trials. Source: E. B. Wilson, "Probable Inference, the Law of
 * Succession, and Statistical Inference", Journal of the American Statistical Association 22 (1927).
 */
export function wilsonInterval(successes: number, trials: number): Interval {
  if (trials === 0) return [0, 1];
  const share = successes / trials;
  const scale = 1 + (Z * Z) / trials;
  const centre = share + (Z * Z) / (2 * trials);
  const spread = Z * Math.sqrt((share * (1 - share)) / trials + (Z * Z) / (4 * trials * trials));
  // The formula gives exactly 0 and 1 at the ends; floating point does not.
  const low = successes === 0 ? 0 : (centre - spread) / scale;
  const high = successes === trials ? 1 : (centre + spread) / scale;
  return [low, high];
}

export function shareOf(successes: number, trials: number): Share {
  return {
    count: successes,
    of: trials,
    rate: successes / trials,
    interval: wilsonInterval(successes, trials),
  };
}
