/** A point of the measured curve: at this similarity or above, `far` of the pairs of strangers were found. */
export interface FarPoint {
  /** Similarity, (1 + cos) / 2, 0..1. Every metric is a monotone function of it. */
  score: number;
  /** Absent where the pairs are too few to say more than `high`. */
  far?: number | undefined;
  /** Ends of the 95 % interval; `low` is there if `far` is. */
  low?: number | undefined;
  high: number;
}

/** A rate with its 95 % interval, 0..1. Only `high` where the measured pairs say no more. */
export interface RateInterval {
  estimate?: number;
  low?: number;
  high: number;
}

/**
 * The false accept rate at a similarity, from measured points. Between two points the logarithm of a rate is linear in the
 * similarity, so rates never rise with the similarity. Beyond the points nothing is extrapolated: above the first one its `high`
 * holds, below the last one its rates.
 */
export class FarCurve {
  readonly #scores: Float64Array;
  readonly #low: Line;
  readonly #estimate: Line;
  readonly #high: Line;
  /** The first point with an estimate. */
  readonly #edge: number;

  /** @param points nearest first: scores fall, and rates rise or stay. At least one has an estimate. */
  constructor(points: readonly FarPoint[]) {
    this.#scores = Float64Array.from(points, ({ score }) => score);
    this.#edge = points.findIndex(({ far }) => far !== undefined);
    this.#low = new Line(
      this.#scores,
      points.map(({ low }) => low ?? 0),
    );
    this.#estimate = new Line(
      this.#scores,
      points.map(({ far }) => far ?? 0),
    );
    this.#high = new Line(
      this.#scores,
      points.map(({ high }) => high),
    );
  }

  /** The lowest estimate that the pairs carry. */
  get lowest(): number {
    return roundRate(this.#estimate.valueAt(this.#edge));
  }

  /** The share of pairs of strangers that are at least as similar. */
  at(similarity: number): RateInterval {
    const scores = this.#scores;
    // The last point whose score is at least the similarity; −1 above all of them.
    let [low, high] = [-1, scores.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((scores[middle] as number) >= similarity) low = middle;
      else high = middle - 1;
    }
    const upper = roundRate(this.#high.at(low, similarity));
    if (low < this.#edge) return { high: upper };
    return {
      estimate: roundRate(this.#estimate.at(low, similarity)),
      low: roundRate(this.#low.at(low, similarity)),
      high: upper,
    };
  }
}

/** A rate over the scores: linear in its logarithm between two points, or itself linear where one of them is 0. */
class Line {
  readonly #scores: Float64Array;
  readonly #values: Float64Array;
  readonly #slopes: Float64Array;

  constructor(scores: Float64Array, values: readonly number[]) {
    this.#scores = scores;
    this.#values = Float64Array.from(values);
    this.#slopes = this.#values.map((value, index) => {
      const next = this.#values[index + 1];
      if (next === undefined) return 0;
      const width = (scores[index] as number) - (scores[index + 1] as number);
      // The quotient of a rate and a tiny one is infinite; the logarithms are not.
      return (value > 0 ? Math.log(next) - Math.log(value) : next - value) / width;
    });
  }

  valueAt(index: number): number {
    return this.#values[index] as number;
  }

  /** @param index of the point before the similarity; −1 if there is none. */
  at(index: number, similarity: number): number {
    if (index < 0) return this.#values[0] as number;
    const value = this.#values[index] as number;
    const slope = this.#slopes[index] as number;
    const step = (this.#scores[index] as number) - similarity;
    return value > 0 ? value * Math.exp(slope * step) : slope * step;
  }
}

/** Significant digits of a rate in an answer: the interval says that no more are known. */
const DIGITS = 4;
const SMALLEST = 10 ** (DIGITS - 1);
/** Exact in floating point, unlike what `**` gives on every machine. */
const POWERS = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/** `toPrecision` takes as long as all the rest of an answer's match. */
export function roundRate(rate: number): number {
  if (rate <= 0) return 0;
  if (rate >= 1) return 1;
  for (let places = DIGITS; places < POWERS.length; places++) {
    const scaled = rate * (POWERS[places] as number);
    if (scaled >= SMALLEST) return Math.round(scaled) / (POWERS[places] as number);
  }
  return rate;
}

/** 1 − (1 − far)^n: the share of strangers who match one of `references`, if comparisons are independent. */
export function searchRate(far: number, references: number): number {
  return far >= 1 ? 1 : -Math.expm1(references * Math.log1p(-far));
}

/** The false accept rate of one comparison that gives this rate in a search: the inverse of {@link searchRate}. */
export function rateOfOne(fpir: number, references: number): number {
  return fpir >= 1 ? 1 : -Math.expm1(Math.log1p(-fpir) / references);
}

/** The same for an estimate with its interval. */
export function searchInterval({ estimate, low, high }: RateInterval, references: number): RateInterval {
  const rate = (far: number) => roundRate(searchRate(far, references));
  if (estimate === undefined || low === undefined) return { high: rate(high) };
  return { estimate: rate(estimate), low: rate(low), high: rate(high) };
}

/**
 * The rate at which a stranger is as near to the nearest of several embeddings of one person, or to their mean. Photographs of one
 * person are not independent: to the nearest, the rate is at least that of one comparison and at most 1 − (1 − far)^n, and to the
 * mean it was measured to lie between them too (docs/FUSION.md). The estimate is the upper end, which does not promise too much.
 */
export function personInterval({ estimate, low, high }: RateInterval, embeddings: number): RateInterval {
  const rate = (far: number) => roundRate(searchRate(far, embeddings));
  if (estimate === undefined || low === undefined) return { high: rate(high) };
  return { estimate: rate(estimate), low, high: rate(high) };
}
