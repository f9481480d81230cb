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
 *
 * @param z the quantile of the normal distribution, for another level than 95 %.
 */
export function wilsonInterval(successes: number, trials: number, z = Z): Interval {
  if (trials === 0) return [0, 1];
  const share = successes / trials;
  const scale = 1 + (z * z) / trials;
  const centre = share + (z * z) / (2 * trials);
  const spread = z * Math.sqrt((share * (1 - share)) / trials + (z * z) / (4 * trials * trials));
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

/**
 * The 95 % interval of the share that as many new trials will show, 0..1: both samples have an error. Source: K. Krishnamoorthy,
 * J. Peng, "Improved closed-form prediction intervals for binomial and Poisson distributions", Journal of Statistical Planning
 * and Inference 141 (2011), the interval of joint sampling, for two samples of one size.
 *
 * @param share of successes, 0..1.
 * @param trials need not be a whole number.
 */
export function predictionInterval(share: number, trials: number): Interval {
  // The new share y solves (share − y)² = c · m · (1 − m), where m is the mean of both.
  const c = (2 * Z * Z) / trials;
  const a = 1 + c / 4;
  const half = share * (1 - c / 4) + c / 4;
  const rest = share * share * (1 + c / 4) - (share * c) / 2;
  const root = Math.sqrt(Math.max(0, half * half - a * rest));
  // As above: exact at the ends.
  const low = share === 0 ? 0 : Math.max(0, (half - root) / a);
  const high = share === 1 ? 1 : Math.min(1, (half + root) / a);
  return [low, high];
}

/**
 * Whether two shares differ, by the interval of their difference. Source: R. G. Newcombe, "Interval estimation for the difference
 * between independent proportions", Statistics in Medicine 17 (1998), method 10.
 *
 * @param z the quantile of the normal distribution for the level.
 */
export function differ(p: Trials, q: Trials, z: number): boolean {
  const [shareP, shareQ] = [p.successes / p.trials, q.successes / q.trials];
  const [lowP, highP] = wilsonInterval(p.successes, p.trials, z);
  const [lowQ, highQ] = wilsonInterval(q.successes, q.trials, z);
  const difference = shareP - shareQ;
  const below = Math.hypot(shareP - lowP, highQ - shareQ);
  const above = Math.hypot(highP - shareP, shareQ - lowQ);
  return difference - below > 0 || difference + above < 0;
}

/** Numbers that need not be whole: of independent trials with the same uncertainty. */
export interface Trials {
  successes: number;
  trials: number;
}
