import { repeatableNoise } from '../../../../bench/repeatable-noise.ts';
import { percentile } from '../../../../bench/statistics.ts';

const MOST_REPLICATES = 1_000;
const FEWEST_REPLICATES = 200;
/** Pairs that are looked at in all, which bounds the time to a few seconds. */
const MOST_STEPS = 3e8;
/** With fewer people, drawing them anew says little about others. */
const FEWEST_PEOPLE = 20;

/**
 * 95 % percentile intervals of threshold and TAR at each FAR, by drawing the people anew with replacement: pairs of one
 * person, or of two, are drawn together, for they are not independent of each other. A pair of persons p and q counts as
 * often as p times q were drawn. Source: R. M. Bolle, N. K. Ratha, S. Pankanti, "Error analysis of pattern recognition
 * systems: the subsets bootstrap", Computer Vision and Image Understanding 93 (2004).
 *
 * @param pairs [{distance, same, personA, personB}], persons numbered from 0 to below `people`.
 * @param fars ascending.
 * @returns an array beside `fars` of {threshold: [low, high], tar: [low, high]}; undefined with too few people.
 */
export function bootstrapOverPeople(pairs, people, fars, seed) {
  if (people < FEWEST_PEOPLE || fars.length === 0) return undefined;
  const sorted = [...pairs].sort((a, b) => a.distance - b.distance);
  const replicates = Math.max(
    FEWEST_REPLICATES,
    Math.min(MOST_REPLICATES, Math.floor(MOST_STEPS / sorted.length)),
  );
  const random = repeatableNoise(seed);
  const drawn = fars.map(() => ({ threshold: [], tar: [] }));
  for (let i = 0; i < replicates; i++) {
    const points = replicate(sorted, drawPeople(people, random), fars);
    for (const [index, point] of (points ?? []).entries()) {
      drawn[index].threshold.push(point.threshold);
      drawn[index].tar.push(point.tar);
    }
  }
  const interval = (values) => [percentile(values, 2.5), percentile(values, 97.5)];
  return drawn.map(({ threshold, tar }) =>
    threshold.length === 0 ? undefined : { threshold: interval(threshold), tar: interval(tar) },
  );
}

/** How often each person was drawn. */
function drawPeople(people, random) {
  const counts = new Uint32Array(people);
  for (let i = 0; i < people; i++) counts[Math.floor(random() * people)]++;
  return counts;
}

/** Threshold and TAR at each FAR of one draw; undefined when it drew no pair of a class. */
function replicate(sorted, counts, fars) {
  const weigh = ({ same, personA, personB }) => (same ? counts[personA] : counts[personA] * counts[personB]);
  let [genuine, impostors] = [0, 0];
  for (const pair of sorted) {
    if (pair.same) genuine += weigh(pair);
    else impostors += weigh(pair);
  }
  if (genuine === 0 || impostors === 0) return undefined;

  const points = [];
  // What is accepted below the distance at hand, and the last distance that was accepted.
  let [trueAccepts, falseAccepts, last] = [0, 0, 0];
  for (let start = 0; start < sorted.length && points.length < fars.length; ) {
    const { distance } = sorted[start];
    let [trueHere, falseHere] = [0, 0];
    let end = start;
    for (; end < sorted.length && sorted[end].distance === distance; end++) {
      const weight = weigh(sorted[end]);
      if (sorted[end].same) trueHere += weight;
      else falseHere += weight;
    }
    start = end;
    while (points.length < fars.length && falseAccepts + falseHere > fars[points.length] * impostors + 1e-9) {
      points.push({ threshold: last, tar: trueAccepts / genuine });
    }
    trueAccepts += trueHere;
    falseAccepts += falseHere;
    if (trueHere + falseHere > 0) last = distance;
  }
  while (points.length < fars.length) points.push({ threshold: last, tar: 1 });
  return points;
}
