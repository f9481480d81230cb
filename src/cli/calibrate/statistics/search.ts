import { writeSquaredDistances } from '../../../similarity/distances.ts';
import type { Interval } from './intervals.ts';
import { seededRandom } from './seeded-random.ts';

/** People who search in one draw, of each kind. */
const MAX_PROBES = 100;
/** With fewer people left outside the gallery, a draw says little. */
const MIN_STRANGERS = 10;
const MAX_DRAWS = 200;
const MIN_DRAWS = 20;
/** Bounds the time to some ten seconds: the distances of all draws together. */
const MAX_DISTANCES = 2e7;

/** A picture of a collection that is sorted by person. */
export interface PersonPicture {
  /** Name or number of the person. */
  person: string;
  /** A unit vector. */
  embedding: Float64Array;
}

/** One draw: cosine distances, ascending. */
interface Draw {
  /** Of each stranger to the nearest person of the gallery. */
  strangers: Float64Array;
  /** Of each enrolled person to himself; infinite if another person is nearer. */
  mates: Float64Array;
}

/** A rate over all draws, and the range of 95 % of the draws. */
export interface DrawnRate {
  rate: number;
  range: Interval;
  /** People who searched, in all draws. */
  of: number;
}

/** Searches in galleries that were drawn from the people of a measurement. */
export interface SearchDraws {
  gallery: number;
  count: number;
  draws: Draw[];
}

/**
 * Enrols people at random, with a picture each, and lets the others and other pictures of the enrolled search among them.
 *
 * @param gallery number of enrolled people.
 * @returns undefined if the collection has too few people.
 */
export function drawSearches(
  pictures: readonly PersonPicture[],
  gallery: number,
  seed: number,
): SearchDraws | undefined {
  const people = [...groupByPerson(pictures).values()];
  if (people.length < gallery + MIN_STRANGERS) return undefined;
  const random = seededRandom(seed);
  const probes = Math.min(MAX_PROBES, people.length - gallery) + Math.min(MAX_PROBES, gallery);
  const affordable = Math.floor(MAX_DISTANCES / (probes * gallery));
  const count = Math.max(MIN_DRAWS, Math.min(MAX_DRAWS, affordable));
  return { gallery, count, draws: Array.from({ length: count }, () => drawSearch(people, gallery, random)) };
}

/** The share of strangers who find a person at this distance: the false positive identification rate. */
export function fpirOf({ draws }: SearchDraws, threshold: number): DrawnRate {
  return rateOver(
    draws.map(({ strangers }) => strangers),
    (distance) => distance <= threshold,
  );
}

/**
 * The share of enrolled people who are not found, or not as themselves: the false negative identification rate at rank 1.
 *
 * @returns undefined if no enrolled person has a second picture.
 */
export function fnirOf({ draws }: SearchDraws, threshold: number): DrawnRate | undefined {
  const searches = draws.map(({ mates }) => mates).filter(({ length }) => length > 0);
  return searches.length === 0 ? undefined : rateOver(searches, (distance) => distance > threshold);
}

function rateOver(draws: readonly Float64Array[], isError: (distance: number) => boolean): DrawnRate {
  const errors = draws.map((distances) =>
    distances.reduce((sum, distance) => sum + Number(isError(distance)), 0),
  );
  const rates = errors
    .map((count, index) => count / (draws[index] as Float64Array).length)
    .sort((a, b) => a - b);
  const of = draws.reduce((sum, { length }) => sum + length, 0);
  const at = (share: number) => rates[Math.max(0, Math.ceil(share * rates.length) - 1)] as number;
  return { rate: errors.reduce((sum, count) => sum + count, 0) / of, range: [at(0.025), at(0.975)], of };
}

function groupByPerson(pictures: readonly PersonPicture[]): Map<string, Float64Array[]> {
  const people = new Map<string, Float64Array[]>();
  for (const { person, embedding } of pictures) {
    const known = people.get(person);
    if (known) known.push(embedding);
    else people.set(person, [embedding]);
  }
  return people;
}

function drawSearch(people: readonly Float64Array[][], gallery: number, random: () => number): Draw {
  const order = shuffled(people, random).map((pictures) => shuffled(pictures, random));
  const enrolled = order.slice(0, gallery);
  const references = enrolled.map(([picture]) => picture as Float64Array);
  const strangers = order.slice(gallery, gallery + MAX_PROBES).map(([picture]) => picture as Float64Array);
  const mates = enrolled.flatMap(([, other], index) => (other ? { other, index } : [])).slice(0, MAX_PROBES);
  return {
    strangers: Float64Array.from(
      distancesOf(strangers, references).map((distances) => Math.min(...distances)),
    ),
    mates: Float64Array.from(
      distancesOf(
        mates.map(({ other }) => other),
        references,
      ).map((distances, mate) => {
        const own = distances[mates[mate]?.index as number] as number;
        return distances.some((distance) => distance < own) ? Number.POSITIVE_INFINITY : own;
      }),
    ),
  };
}

/** Cosine distances of each probe to all references. */
function distancesOf(probes: readonly Float64Array[], references: readonly Float64Array[]): Float64Array[] {
  const length = references[0]?.length ?? 0;
  const queries = new Float64Array(probes.length * length);
  for (const [index, probe] of probes.entries()) queries.set(probe, index * length);
  const squared = new Float64Array(probes.length * references.length);
  for (const [index, reference] of references.entries()) {
    writeSquaredDistances(queries, reference, squared, index, references.length);
  }
  return probes.map((_, probe) =>
    squared.subarray(probe * references.length, (probe + 1) * references.length).map((value) => value / 2),
  );
}

/** A copy in random order (Fisher-Yates). */
function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1));
    [copy[i], copy[other]] = [copy[other] as T, copy[i] as T];
  }
  return copy;
}
