import type { Interval } from './intervals.ts';
import type { Score } from './scores.ts';
import { seededRandom } from './seeded-random.ts';

const MAX_REPLICATES = 1_000;
const MIN_REPLICATES = 200;
/** Bounds the time to a few seconds: the pairs of all replicates together. */
const MAX_STEPS = 3e8;
/** With fewer people, resampling them says little about other people. */
export const MIN_PEOPLE = 20;

/** A score with the numbers of the people on both pictures. */
export interface PersonScore extends Score {
  personA: number;
  personB: number;
}

export interface BootstrapIntervals {
  threshold: Interval;
  tar: Interval;
}

/** The pairs by ascending distance, in columns: the passes over them are many. */
interface Columns {
  distance: Float64Array;
  same: Uint8Array;
  personA: Uint32Array;
  personB: Uint32Array;
}

interface Point {
  threshold: number;
  tar: number;
}

/**
 * 95 % percentile intervals of threshold and TAR at each FAR, by resampling the people with replacement: pairs that share
 * a person are not independent, so they are drawn together. A pair of persons p and q counts as often as p times q were
 * drawn. Source: R. M. Bolle, N. K. Ratha, S. Pankanti, "Error analysis of pattern recognition systems: the subsets
 * bootstrap", Computer Vision and Image Understanding 93 (2004).
 *
 * @param people how many there are; their numbers begin at 0.
 * @param fars ascending.
 * @returns intervals in the order of `fars`; undefined with too few people.
 */
export function bootstrapOverPeople(
  pairs: PersonScore[],
  people: number,
  fars: number[],
  seed: number,
): BootstrapIntervals[] | undefined {
  if (people < MIN_PEOPLE || fars.length === 0) return undefined;
  const columns = sortColumns(pairs);
  const affordable = Math.floor(MAX_STEPS / pairs.length);
  const replicates = Math.max(MIN_REPLICATES, Math.min(MAX_REPLICATES, affordable));
  const random = seededRandom(seed);
  const drawn = Array.from({ length: replicates }, () =>
    replicate(columns, drawPeople(people, random), fars),
  ).filter((points) => points !== undefined);
  if (drawn.length === 0) return undefined;
  return fars.map((_, index) => {
    const points = drawn.map((each) => each[index] as Point);
    return {
      threshold: percentileInterval(points.map(({ threshold }) => threshold)),
      tar: percentileInterval(points.map(({ tar }) => tar)),
    };
  });
}

/** The nearest ranks of 2.5 % and 97.5 %. */
function percentileInterval(values: number[]): Interval {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number;
  return [at(0.025), at(0.975)];
}

/** How often each person was drawn. */
function drawPeople(people: number, random: () => number): Uint32Array {
  const counts = new Uint32Array(people);
  for (let i = 0; i < people; i++) {
    const person = Math.floor(random() * people);
    counts[person] = (counts[person] as number) + 1;
  }
  return counts;
}

function sortColumns(pairs: PersonScore[]): Columns {
  const sorted = [...pairs].sort((a, b) => a.distance - b.distance);
  return {
    distance: Float64Array.from(sorted, ({ distance }) => distance),
    same: Uint8Array.from(sorted, ({ same }) => Number(same)),
    personA: Uint32Array.from(sorted, ({ personA }) => personA),
    personB: Uint32Array.from(sorted, ({ personB }) => personB),
  };
}

/** Threshold and TAR at each FAR of one draw; undefined if it has no pair of a class. */
function replicate(columns: Columns, counts: Uint32Array, fars: number[]): Point[] | undefined {
  const { distance, same } = columns;
  const weights = weigh(columns, counts);
  let [genuine, impostors] = [0, 0];
  for (let i = 0; i < weights.length; i++) {
    if (same[i]) genuine += weights[i] as number;
    else impostors += weights[i] as number;
  }
  if (genuine === 0 || impostors === 0) return undefined;

  const points: Point[] = [];
  // The weights accepted so far, and the largest distance among them.
  let [trueAccepts, falseAccepts, threshold] = [0, 0, 0];
  for (let i = 0; i < weights.length && points.length < fars.length; ) {
    const tied = distance[i] as number;
    let [trueHere, falseHere] = [0, 0];
    for (; distance[i] === tied; i++) {
      if (same[i]) trueHere += weights[i] as number;
      else falseHere += weights[i] as number;
    }
    const accepted = falseAccepts + falseHere;
    while (points.length < fars.length && accepted > (fars[points.length] as number) * impostors + 1e-9) {
      points.push({ threshold, tar: trueAccepts / genuine });
    }
    trueAccepts += trueHere;
    falseAccepts = accepted;
    if (trueHere + falseHere > 0) threshold = tied;
  }
  while (points.length < fars.length) points.push({ threshold, tar: 1 });
  return points;
}

/** How often each pair counts. */
function weigh({ same, personA, personB }: Columns, counts: Uint32Array): Float64Array {
  const weights = new Float64Array(same.length);
  for (let i = 0; i < weights.length; i++) {
    const countA = counts[personA[i] as number] as number;
    weights[i] = same[i] ? countA : countA * (counts[personB[i] as number] as number);
  }
  return weights;
}
