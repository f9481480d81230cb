import { shareOf } from './intervals.ts';
import { countAtMost, countBelow, METRICS } from './scores.ts';

/** Decimals of a threshold: as few as say the same. */
const FEWEST_DECIMALS = 4;
const MOST_DECIMALS = 12;

/**
 * The loosest threshold whose false accept rate is at most `far`. A pair matches when its distance is at most the
 * threshold, so among tied impostors it takes all or none.
 *
 * @returns {low, high}: every threshold from `low`, which is a measured distance, up to below `high` decides alike;
 *   undefined where every threshold that accepts anything accepts too many impostors.
 */
export function thresholdAtFar({ genuine, impostor }, far) {
  // 0.29 * 100 is a hair below 29 in floating point.
  const accepted = Math.floor(far * impostor.length + 1e-9);
  const high = accepted < impostor.length ? impostor[accepted] : Number.POSITIVE_INFINITY;
  const low = Math.max(lastBelow(genuine, high), lastBelow(impostor, high));
  return low === Number.NEGATIVE_INFINITY ? undefined : { low, high };
}

/** FAR and TAR of a threshold, with 95 % Wilson intervals. */
export function ratesAt({ genuine, impostor }, threshold) {
  return {
    far: shareOf(countAtMost(impostor, threshold), impostor.length),
    tar: shareOf(countAtMost(genuine, threshold), genuine.length),
  };
}

/** The threshold of each metric, with few decimals, that decides every measured pair as `low` does. */
export function thresholdsOfMetrics({ low, high }) {
  return Object.fromEntries(
    Object.entries(METRICS).map(([metric, { of }]) => [metric, readable(of(low), of(high))]),
  );
}

/** The value with the fewest decimals from `from` (included) towards `to` (excluded). */
function readable(from, to) {
  const round = to > from ? Math.ceil : Math.floor;
  for (let decimals = FEWEST_DECIMALS; decimals <= MOST_DECIMALS; decimals++) {
    const value = Number((round(from * 10 ** decimals) / 10 ** decimals).toFixed(decimals));
    const isInside = to > from ? value >= from && value < to : value <= from && value > to;
    if (isInside) return value;
  }
  return from;
}

/**
 * Where the shares of falsely accepted and falsely rejected pairs are equal, or nearest to it.
 *
 * @returns {rate, low, high, far, tar}: the mean of both shares, and the threshold as above.
 */
export function equalErrorRate(scores) {
  return best(
    scores,
    ({ far, tar }) => -Math.abs(far.rate - (1 - tar.rate)),
    ({ far, tar }) => ({
      rate: (far.rate + 1 - tar.rate) / 2,
    }),
  );
}

/** The highest share of pairs that one threshold decides rightly: {accuracy, low, high, far, tar}. */
export function bestAccuracy(scores) {
  const accuracy = ({ far, tar }) => (tar.count + far.of - far.count) / (tar.of + far.of);
  return best(scores, accuracy, (rates) => ({ accuracy: accuracy(rates) }));
}

/** The first threshold with the highest worth. */
function best(scores, worth, describe) {
  const thresholds = distinctDistances(scores);
  let found;
  for (const [index, low] of thresholds.entries()) {
    const rates = ratesAt(scores, low);
    const value = worth(rates);
    if (found !== undefined && value <= found.value) continue;
    found = { value, low, high: thresholds[index + 1] ?? Number.POSITIVE_INFINITY, rates };
  }
  const { low, high, rates } = found;
  return { ...describe(rates), low, high, ...rates };
}

/** FAR and TAR at every measured distance, as numbers from 0 to 1, beginning with a threshold that accepts nothing. */
export function rocPoints({ genuine, impostor }) {
  const points = distinctDistances({ genuine, impostor }).map((threshold) => ({
    threshold,
    far: countAtMost(impostor, threshold) / impostor.length,
    tar: countAtMost(genuine, threshold) / genuine.length,
  }));
  return [{ threshold: undefined, far: 0, tar: 0 }, ...points];
}

function distinctDistances({ genuine, impostor }) {
  return [...new Set([...genuine, ...impostor])].sort((a, b) => a - b);
}

function lastBelow(sorted, limit) {
  return sorted[countBelow(sorted, limit) - 1] ?? Number.NEGATIVE_INFINITY;
}
