import { readFileSync } from 'node:fs';
import type { Comparison } from './discard-curve.ts';
import { type MeasuredVersion, type Photo, personOf, type VersionFilter } from './photos.ts';
import { randomOf } from './random.ts';

/** Two photographs, by file name. */
export interface Pair {
  a: string;
  b: string;
  samePerson: boolean;
}

export type VersionComparison = Comparison<MeasuredVersion>;

/** Reads a CSV file with the columns image_a, image_b and same_person (1 or 0). */
export function readPairs(file: string): Pair[] {
  const [, ...lines] = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [a = '', b = '', same] = line.trim().split(',');
    return { a, b, samePerson: same === '1' };
  });
}

/** Splits persons at random into groups of equal size; the groups are the same in every run. */
export function splitPersons(persons: readonly string[], groups: number, seed: string): Set<string>[] {
  const random = randomOf(seed);
  const shuffled = persons
    .toSorted()
    .map((person) => ({ person, order: random() }))
    .sort((p, q) => p.order - q.order);
  return Array.from(
    { length: groups },
    (_, group) => new Set(shuffled.filter((_, i) => i % groups === group).map(({ person }) => person)),
  );
}

/** The cosine similarity of two embeddings of norm 1. */
export function similarity(p: Float32Array, q: Float32Array): number {
  let dot = 0;
  for (let i = 0; i < p.length; i++) dot += (p[i] as number) * (q[i] as number);
  return dot;
}

/**
 * Similarities between the original photographs of different persons. Operators choose a threshold on undegraded
 * photographs, too.
 */
export function impostorSimilarities(photos: readonly Photo[]): number[] {
  const originals = photos.flatMap(({ file, versions: [original] }) =>
    original?.found ? [{ person: personOf(file), embedding: original.embedding }] : [],
  );
  return originals.flatMap((p, i) =>
    originals
      .slice(0, i)
      .filter((q) => q.person !== p.person)
      .map((q) => similarity(p.embedding, q.embedding)),
  );
}

/** The similarity that this share of the impostors exceeds. */
export function thresholdAt(similarities: readonly number[], falseMatchRate: number): number {
  const sorted = Float64Array.from(similarities).sort().reverse();
  return sorted[Math.floor(falseMatchRate * sorted.length)] ?? Number.NaN;
}

/** The share of these similarities that reach the threshold. */
export function matchRate(comparisons: readonly { similarity: number }[], threshold: number): number {
  return comparisons.filter(({ similarity }) => similarity >= threshold).length / comparisons.length;
}

/** The share of comparisons of one person that do not reach the threshold. */
export function falseNonMatchRate(comparisons: readonly VersionComparison[], threshold: number): number {
  return comparisons.filter(({ similarity }) => similarity < threshold).length / comparisons.length;
}

/**
 * Comparisons of two photographs of one person: each version of either with the original of the other, as when the enrolled
 * photograph is good and the new one is not; and each degraded version of the first with a degraded version of the second.
 */
export function genuineComparisons(
  pairs: readonly Pair[],
  photos: readonly Photo[],
  wanted: VersionFilter = () => true,
): VersionComparison[] {
  const versionsOf = new Map(photos.map((photo) => [photo.file, selectVersions(photo, wanted)]));
  return pairs.flatMap(({ a, b }) => {
    const random = randomOf(`${a} ${b}`);
    const [original, ...degraded] = versionsOf.get(a) ?? [];
    const [otherOriginal, ...otherDegraded] = versionsOf.get(b) ?? [];
    if (original?.kind !== 'original' || otherOriginal?.kind !== 'original') return [];
    const anyOther = () => otherDegraded[Math.floor(random() * otherDegraded.length)] as MeasuredVersion;
    const both = otherDegraded.length === 0 ? [] : degraded;
    const compared: [MeasuredVersion, MeasuredVersion][] = [
      [original, otherOriginal],
      ...degraded.map((version): [MeasuredVersion, MeasuredVersion] => [version, otherOriginal]),
      ...otherDegraded.map((version): [MeasuredVersion, MeasuredVersion] => [original, version]),
      ...both.map((version): [MeasuredVersion, MeasuredVersion] => [version, anyOther()]),
    ];
    return compared.map(([p, q]) => ({
      person: personOf(a),
      p,
      q,
      similarity: similarity(p.embedding, q.embedding),
    }));
  });
}

export interface VersionOutcome {
  version: MeasuredVersion;
  /** Whether the version matches the original of the other photograph in its pair. */
  matches: boolean;
}

export function versionOutcomes(
  pairs: readonly Pair[],
  photos: readonly Photo[],
  threshold: number,
  wanted: VersionFilter = () => true,
): VersionOutcome[] {
  const photoOf = new Map(photos.map((photo) => [photo.file, photo]));
  const outcomesOf = (file: string, otherFile: string): VersionOutcome[] => {
    const photo = photoOf.get(file);
    const other = photoOf.get(otherFile)?.versions[0];
    if (photo === undefined || !other?.found) return [];
    return selectVersions(photo, wanted).map((version) => ({
      version,
      matches: similarity(version.embedding, other.embedding) >= threshold,
    }));
  };
  return pairs.flatMap(({ a, b }) => [...outcomesOf(a, b), ...outcomesOf(b, a)]);
}

/** The measured versions of a photograph: the original, and the degraded versions that take part. */
function selectVersions({ versions }: Photo, wanted: VersionFilter): MeasuredVersion[] {
  return versions
    .filter((version) => version.found)
    .filter((version) => version.kind === 'original' || wanted(version));
}
