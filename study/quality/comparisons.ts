import { readFileSync } from 'node:fs';
import { randomOf } from './degradations.ts';

/** The weakest of the three strengths alone: photographs as they come, a little worse. */
export const isLight = ({ step }) => step <= 1;

export function readPairs(file) {
  const [, ...lines] = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [a, b, same] = line.trim().split(',');
    return { a, b, same: same === '1' };
  });
}

/** LFW's file names are those of the person and a number. */
export const personOf = (file) => file.replace(/_\d+\.\w+$/, '');

/** Persons → groups of the same size, by chance that is the same in every run. */
export function splitPersons(persons, groups, seed) {
  const random = randomOf(seed);
  const shuffled = persons
    .toSorted()
    .map((person) => ({ person, at: random() }))
    .sort((p, q) => p.at - q.at);
  return Array.from(
    { length: groups },
    (_, group) => new Set(shuffled.filter((_, i) => i % groups === group).map(({ person }) => person)),
  );
}

export function similarity(p, q) {
  let dot = 0;
  for (let i = 0; i < p.length; i++) dot += p[i] * q[i];
  return dot;
}

/**
 * Similarities of the photographs of different persons as they are, not degraded: that is where an operator would set
 * a threshold.
 */
export function impostorSimilarities(photos) {
  const originals = photos.map(({ file, versions }) => ({ person: personOf(file), ...versions[0] }));
  const usable = originals.filter(({ found }) => found);
  return usable.flatMap((p, i) =>
    usable
      .slice(0, i)
      .filter((q) => q.person !== p.person)
      .map((q) => similarity(p.embedding, q.embedding)),
  );
}

/** The similarity that this share of the impostors reaches. */
export function thresholdAt(similarities, falseMatchRate) {
  const sorted = Float64Array.from(similarities).sort().reverse();
  return sorted[Math.floor(falseMatchRate * sorted.length)];
}

/**
 * Comparisons of two photographs of one person: each version of either with the other's original, as when an enrolled
 * photograph is good and the new one is not; and each version of the first with a degraded one of the second.
 *
 * @param wanted which degraded versions take part.
 * @returns [{person, p, q, similarity}], p and q being versions.
 */
export function genuineComparisons(pairs, photos, wanted = () => true) {
  const versionsOf = new Map(
    photos.map(({ file, versions }) => [
      file,
      versions.filter((version) => version.found && (version.kind === 'none' || wanted(version))),
    ]),
  );
  return pairs.flatMap(({ a, b }) => {
    const random = randomOf(`${a} ${b}`);
    const [original, ...degraded] = versionsOf.get(a) ?? [];
    const [otherOriginal, ...otherDegraded] = versionsOf.get(b) ?? [];
    if (original?.kind !== 'none' || otherOriginal?.kind !== 'none') return [];
    const both = otherDegraded.length === 0 ? [] : degraded;
    const compared = [
      [original, otherOriginal],
      ...degraded.map((version) => [version, otherOriginal]),
      ...otherDegraded.map((version) => [original, version]),
      ...both.map((version) => [version, otherDegraded[Math.floor(random() * otherDegraded.length)]]),
    ];
    return compared.map(([p, q]) => ({
      person: personOf(a),
      p,
      q,
      similarity: similarity(p.embedding, q.embedding),
    }));
  });
}

/** Each version of a photograph, and whether it matches the other, good photograph of its pair. */
export function versionsWithOutcome(pairs, photos, threshold, wanted = () => true) {
  const photoOf = new Map(photos.map((photo) => [photo.file, photo]));
  return pairs.flatMap(({ a, b }) =>
    [
      [a, b],
      [b, a],
    ].flatMap(([file, other]) => {
      const [mate] = photoOf.get(other).versions;
      if (!mate.found) return [];
      return photoOf
        .get(file)
        .versions.filter((version) => version.found && (version.kind === 'none' || wanted(version)))
        .map((version) => ({
          version,
          matches: similarity(version.embedding, mate.embedding) >= threshold,
        }));
    }),
  );
}
