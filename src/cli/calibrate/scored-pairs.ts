import { numberPeople } from './pairs/people.ts';
import { cosineDistance } from './statistics/scores.ts';

/**
 * Puts a distance to every pair whose two pictures were embedded. Pairs of one and the same file are left out: a copy is
 * no second look at a person, and two people cannot share one.
 *
 * @param pairs [{a, b, same}]. @param results of embedPictures. @param personOf name → person, where it is known.
 * @returns {pairs: [{a, b, same, distance, quality, personA, personB}], people, leftOut, quality}: the pairs left out by
 *   reason, and what `quality` is: `quality.score` where the service gives it for all, else `detection_score`. A pair has
 *   that of its poorer picture.
 */
export function scorePairs(pairs, results, personOf) {
  const embedded = (name) => results.get(name)?.embedding !== undefined;
  const faces = [...results.values()].filter(({ embedding }) => embedding !== undefined);
  const hasQuality = faces.length > 0 && faces.every(({ quality }) => Number.isFinite(quality));
  const qualityOf = ({ quality, detectionScore }) => (hasQuality ? quality : detectionScore);
  const usable = pairs.filter(({ a, b }) => embedded(a) && embedded(b));
  const isCopy = ({ a, b }) => results.get(a).sha256 === results.get(b).sha256;
  const distinct = usable.filter((pair) => !isCopy(pair));
  const numbered = numberPeople(distinct, { personOf, fileOf: (name) => results.get(name).sha256 });
  return {
    pairs: distinct.map(({ a, b, same }) => {
      const [first, second] = [results.get(a), results.get(b)];
      return {
        a,
        b,
        same,
        distance: cosineDistance(first.embedding, second.embedding),
        quality: Math.min(qualityOf(first), qualityOf(second)),
        personA: numbered.personOf(a),
        personB: numbered.personOf(b),
      };
    }),
    people: numbered.people,
    leftOut: {
      failed_picture: pairs.length - usable.length,
      copies: usable.filter((pair) => pair.same && isCopy(pair)).length,
      copies_labelled_different: usable.filter((pair) => !pair.same && isCopy(pair)).length,
    },
    quality: hasQuality ? 'quality.score' : 'detection_score',
  };
}
