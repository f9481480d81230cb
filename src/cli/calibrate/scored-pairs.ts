import type { Pair, PersonOf } from './pairs/pair.ts';
import { numberPeople } from './pairs/people.ts';
import { type EmbeddedPicture, isEmbedded, type PictureResults } from './pictures/embed-pictures.ts';
import type { GroupedScore } from './statistics/groups.ts';
import { cosineDistance } from './statistics/scores.ts';
import type { PersonPicture } from './statistics/search.ts';

/** `quality.score` if the service gives it for all pictures, else `detection_score`. */
export type QualityMeasure = 'quality.score' | 'detection_score';

export interface ScoredPair extends Pair, GroupedScore {
  /** Of the poorer picture. */
  quality: number;
}

export interface ScoredPairs {
  pairs: ScoredPair[];
  /** How many people the pairs show. */
  people: number;
  quality: QualityMeasure;
  /** Every file once, with whom it shows; undefined if that is not known of all. */
  pictures: PersonPicture[] | undefined;
  /** Pairs that are left out, by reason. */
  leftOut: { failed_picture: number; copies: number; copies_labelled_different: number };
}

/**
 * Computes the distance of every pair whose two pictures were embedded. Pairs of a file with a copy of itself are left
 * out: they say nothing about the person, and if they are labelled as different people, the label is wrong.
 */
export function scorePairs(pairs: Pair[], results: PictureResults, personOf?: PersonOf): ScoredPairs {
  const embedded = new Map(
    [...results].filter((entry): entry is [string, EmbeddedPicture] => isEmbedded(entry[1])),
  );
  const faceOf = (picture: string) => embedded.get(picture) as EmbeddedPicture;
  const hasQuality = [...embedded.values()].every(({ quality }) => quality !== undefined);
  const qualityOf = ({ quality, detectionScore }: EmbeddedPicture) =>
    hasQuality && quality !== undefined ? quality : detectionScore;

  const usable = pairs.filter(({ a, b }) => embedded.has(a) && embedded.has(b));
  const isCopy = ({ a, b }: Pair) => faceOf(a).sha256 === faceOf(b).sha256;
  const distinct = usable.filter((pair) => !isCopy(pair));
  const people = numberPeople(distinct, { personOf, fileOf: (picture) => faceOf(picture).sha256 });
  return {
    pairs: distinct.map(({ a, b, same, group }) => {
      const [first, second] = [faceOf(a), faceOf(b)];
      return {
        a,
        b,
        same,
        ...(group === undefined ? {} : { group }),
        distance: cosineDistance(first.embedding, second.embedding),
        quality: Math.min(qualityOf(first), qualityOf(second)),
        personA: people.numberOf(a),
        personB: people.numberOf(b),
      };
    }),
    people: people.count,
    pictures: personOf && picturesOf(embedded, personOf),
    quality: hasQuality ? 'quality.score' : 'detection_score',
    leftOut: {
      failed_picture: pairs.length - usable.length,
      copies: usable.filter((pair) => pair.same && isCopy(pair)).length,
      copies_labelled_different: usable.filter((pair) => !pair.same && isCopy(pair)).length,
    },
  };
}

/** A file that two folders have would be found as the other person. */
function picturesOf(embedded: ReadonlyMap<string, EmbeddedPicture>, personOf: PersonOf): PersonPicture[] {
  const files = new Map<string, PersonPicture>();
  for (const [name, { sha256, embedding }] of [...embedded].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!files.has(sha256)) files.set(sha256, { person: personOf(name), embedding });
  }
  return [...files.values()];
}
