import { seededRandom } from '../../src/cli/calibrate/statistics/seeded-random.ts';
import { fuseEmbeddings } from '../../src/similarity/fusion.ts';
import type { MeasuredVersion } from '../quality/photos.ts';
import { drawVersion, intervalOverPeople, type Mix, mean, type Person, subsetsOf } from './people.ts';

const FAR = 0.001;
/** Draws of degraded versions, for each set of photographs. */
const DRAWS = 20;

/** How several photographs of a person are compared with a query: as a similarity, the larger the nearer. */
export const WAYS = {
  'nearest of them': (enrolled, query) => Math.max(...enrolled.map((one) => dot(one, query))),
  'mean, equal weights': (enrolled, query) =>
    dotOf(
      fuse(enrolled, () => 1),
      query,
    ),
  'mean, weighted by quality': (enrolled, query) =>
    dotOf(
      fuse(enrolled, ({ quality }) => quality.score),
      query,
    ),
} as const satisfies Record<string, (enrolled: MeasuredVersion[], query: MeasuredVersion) => number>;

export type Way = keyof typeof WAYS;

/** What enrolling several photographs of each person does, against enrolling one. Rates are means over people. */
export interface Gain {
  mix: Mix;
  way: Way;
  photographs: number;
  /** People with one photograph more than that. */
  people: number;
  queries: number;
  /** FNMR at a FAR of 0.1 % of its own impostors, with one photograph and with several. */
  one: number;
  several: number;
  oneInterval: [number, number];
  severalInterval: [number, number];
  /** One minus several, and its interval. */
  gain: number;
  interval: [number, number];
  /** FAR of the several at the threshold of one. */
  farAtOne: number;
}

/**
 * @param people with at least three photographs.
 * @param strangers whose photographs are the queries of impostors; they may include the people.
 */
export function measureGains(
  people: readonly Person[],
  strangers: readonly Person[],
  mixes: readonly Mix[],
): Gain[] {
  return mixes.flatMap((mix) =>
    [2, 3, 5].flatMap((photographs) =>
      (Object.keys(WAYS) as Way[]).map((way) => measureGain(people, strangers, mix, photographs, way)),
    ),
  );
}

function measureGain(
  people: readonly Person[],
  strangers: readonly Person[],
  mix: Mix,
  photographs: number,
  way: Way,
): Gain {
  const random = seededRandom(photographs);
  const draws = mix === 'as they are' ? 1 : DRAWS;
  const similarity = WAYS[way];
  const able = people.filter(({ length }) => length > photographs);
  // The scores of each person's queries: pairs of one and of several photographs with the same query.
  const genuine = able.map((person) =>
    person.flatMap((query) => {
      const others = person.filter((photo) => photo !== query);
      return subsetsOf(others, photographs).flatMap((subset) =>
        Array.from({ length: draws }, () => {
          const probe = drawVersion(query, mix, random);
          const enrolled = subset.map((photo) => drawVersion(photo, mix, random));
          return {
            // Each of the photographs might have been the only one.
            one: enrolled.map((photo) => dot(photo, probe)),
            several: similarity(enrolled, probe),
          };
        }),
      );
    }),
  );
  const impostors = impostorScores(people, strangers, mix, photographs, draws, similarity, random);
  const thresholds = { one: thresholdAt(impostors.one), several: thresholdAt(impostors.several) };
  const missed = genuine.map((scores) => ({
    one: mean(scores.map(({ one }) => mean(one.map((score) => Number(score < thresholds.one))))),
    several: mean(scores.map(({ several }) => Number(several < thresholds.several))),
  }));
  const ones = missed.map(({ one }) => one);
  const severals = missed.map(({ several }) => several);
  const gains = missed.map(({ one, several }) => one - several);
  return {
    mix,
    way,
    photographs,
    people: able.length,
    queries: genuine.reduce((sum, { length }) => sum + length, 0),
    one: mean(ones),
    several: mean(severals),
    oneInterval: intervalOverPeople(ones, random),
    severalInterval: intervalOverPeople(severals, random),
    gain: mean(gains),
    interval: intervalOverPeople(gains, random),
    farAtOne: mean(impostors.several.map((score) => Number(score >= thresholds.one))),
  };
}

/** Scores of strangers: every photograph of everybody else, with sets of so many photographs of one person. */
function impostorScores(
  people: readonly Person[],
  strangers: readonly Person[],
  mix: Mix,
  photographs: number,
  draws: number,
  similarity: (typeof WAYS)[Way],
  random: () => number,
): { one: number[]; several: number[] } {
  const one: number[] = [];
  const several: number[] = [];
  for (const person of people) {
    for (const subset of subsetsOf(person, photographs)) {
      for (let draw = 0; draw < draws; draw++) {
        const enrolled = subset.map((photo) => drawVersion(photo, mix, random));
        for (const stranger of strangers) {
          if (stranger === person) continue;
          for (const photographed of stranger) {
            const probe = drawVersion(photographed, mix, random);
            for (const photo of enrolled) one.push(dot(photo, probe));
            several.push(similarity(enrolled, probe));
          }
        }
      }
    }
  }
  return { one, several };
}

/** The similarity that so small a share of strangers exceeds. */
function thresholdAt(scores: readonly number[]): number {
  const sorted = Float64Array.from(scores).sort().reverse();
  return sorted[Math.floor(FAR * sorted.length)] as number;
}

function fuse(
  enrolled: readonly MeasuredVersion[],
  weightOf: (version: MeasuredVersion) => number,
): Float32Array {
  const pictures = enrolled.map((version) => ({ embedding: version.embedding, weight: weightOf(version) }));
  // Nothing is left out, so that only the mean is judged.
  return (fuseEmbeddings(pictures, -1) as { embedding: Float32Array }).embedding;
}

const dot = (a: MeasuredVersion, b: MeasuredVersion) => dotOf(a.embedding, b);

function dotOf(a: Float32Array, { embedding: b }: MeasuredVersion): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
