import { FARS } from '../../src/cli/calibrate/analysis.ts';
import { measureFarCurve } from '../../src/cli/calibrate/statistics/far-curve.ts';
import { seededRandom } from '../../src/cli/calibrate/statistics/seeded-random.ts';
import { ServiceError } from '../../src/errors.ts';
import { compare } from '../../src/json/compare-job.ts';
import type { CurvePoint } from '../../src/packs/thresholds.ts';
import { packPoints } from '../../src/similarity/far-evidence.ts';
import { type Distances, type People, shuffled } from './people.ts';
import type { EmbeddedPhoto } from './photos.ts';

export const ENROLLED = 120;
export const STRANGERS = 120;
/** Shown one by one. */
export const DRAWS = 20;
/** For the mean: twenty draws say little of it. */
const ALL_DRAWS = 100;

/** Options of `/v1/compare` that decide at the door. */
export const RULES = {
  'threshold=0.7418 (FAR 0.1 % of one comparison)': { threshold: 0.7418 },
  'max_far=0.001': { max_far: 0.001 },
  'max_fpir=0.1': { max_fpir: 0.1 },
  'max_fpir=0.01': { max_fpir: 0.01 },
} as const;

export type Rule = keyof typeof RULES;

export interface DoorResult {
  rule: Rule;
  /** Of each draw: strangers let in; undefined where the request was refused, because the evidence did not carry it. */
  letIn: (number | undefined)[];
  /** Of each draw: enrolled people who were not let in, or not as themselves, and how many tried. */
  turnedAway: ({ count: number; of: number } | undefined)[];
}

/**
 * The door of an integrator: people are enrolled with a photograph each; strangers, and the enrolled with another photograph, ask
 * to be let in. The curve is measured on everybody but the strangers.
 */
export function runDoor(people: People, distances: Distances): DoorResult[] {
  const results = (Object.keys(RULES) as Rule[]).map(
    (rule): DoorResult => ({ rule, letIn: [], turnedAway: [] }),
  );
  for (let draw = 1; draw <= ALL_DRAWS; draw++) {
    const random = seededRandom(draw);
    const order = shuffled(people, random).map((photos) => shuffled(photos, random));
    const enrolled = order.filter(({ length }) => length > 1).slice(0, ENROLLED);
    const rest = order.filter((person) => !enrolled.includes(person));
    const strangers = rest.slice(0, STRANGERS);
    const calibrating = [...enrolled, ...rest.slice(STRANGERS)];
    const curve = measureFarCurve(distances.impostors(calibrating), calibrating.length, FARS);
    for (const result of results) {
      const references = enrolled.map(([photo]) => photo as EmbeddedPhoto);
      const ask = (queries: EmbeddedPhoto[]) => search(queries, references, RULES[result.rule], curve);
      const found = ask(strangers.map(([photo]) => photo as EmbeddedPhoto));
      result.letIn.push(found?.filter(({ is_match }) => is_match).length);
      const own = ask(enrolled.map(([, photo]) => photo as EmbeddedPhoto));
      result.turnedAway.push(
        own && {
          count: own.filter(({ id, is_match }, index) => !is_match || id !== enrolled[index]?.[0]?.person)
            .length,
          of: own.length,
        },
      );
    }
  }
  return results;
}

/** A request as `/v1/compare` answers it, from its body to its answer. */
function search(
  queries: readonly EmbeddedPhoto[],
  references: readonly EmbeddedPhoto[],
  rule: object,
  points: readonly CurvePoint[] | undefined,
): { id: string; is_match: boolean }[] | undefined {
  const block = (photos: readonly EmbeddedPhoto[]) => ({
    ids: photos.map(({ person }) => person),
    embeddings: Buffer.from(
      Float32Array.from(photos.flatMap(({ embedding }) => [...embedding])).buffer,
    ).toString('base64'),
  });
  const body = {
    query_embeddings: block(queries),
    reference_embeddings: block(references),
    top_k: 1,
    ...rule,
  };
  const evidence = {
    embeddingSpace: 'study',
    embeddingSize: references[0]?.embedding.length ?? 0,
    points: points && packPoints(points),
    provisional: false,
  };
  const limits = { references: 1_000, comparisons: 1e6, pictures: 0, imageBytes: 0 };
  try {
    const outcome = compare(Buffer.from(JSON.stringify(body)), limits, {
      given: undefined,
      maxAnswerBytes: 1e8,
      lightOnly: false,
      evidence,
    });
    if (outcome === undefined || !('answer' in outcome.result)) throw new Error('There is no answer.');
    const { results } = JSON.parse(new TextDecoder().decode(outcome.result.answer));
    return results.map(({ best_match }: { best_match: { id: string; is_match: boolean } }) => best_match);
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'INVALID_REQUEST') return undefined;
    throw error;
  }
}
