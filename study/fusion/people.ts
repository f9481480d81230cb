import { type MeasuredVersion, type Photo, personOf } from '../quality/photos.ts';

/** A photograph in which a face is found: as it is, and its degraded versions. */
export interface FoundPhoto {
  original: MeasuredVersion;
  /** With the original. */
  versions: MeasuredVersion[];
}

/** The photographs of a person. */
export type Person = FoundPhoto[];

/** Which version of a photograph is taken. */
export const MIXES = {
  'as they are': ({ level }: MeasuredVersion) => level === 0,
  'slightly worse': ({ level }: MeasuredVersion) => level <= 1,
  'much worse': () => true,
} as const satisfies Record<string, (version: MeasuredVersion) => boolean>;

export type Mix = keyof typeof MIXES;

export function groupPeople(photos: readonly Photo[]): Person[] {
  const people = new Map<string, Person>();
  for (const { file, versions } of photos) {
    const found = versions.filter((version) => version.found);
    const [original] = found;
    if (original?.kind !== 'original') continue;
    const person = people.get(personOf(file)) ?? [];
    person.push({ original, versions: found });
    people.set(personOf(file), person);
  }
  return [...people.values()];
}

/** A version of the photograph that the mix has, at random. */
export function drawVersion({ versions }: FoundPhoto, mix: Mix, random: () => number): MeasuredVersion {
  const allowed = versions.filter(MIXES[mix]);
  return allowed[Math.floor(random() * allowed.length)] as MeasuredVersion;
}

/** All subsets of so many items. */
export function subsetsOf<T>(list: readonly T[], size: number): T[][] {
  if (size === 0) return [[]];
  return list.flatMap((first, index) =>
    subsetsOf(list.slice(index + 1), size - 1).map((rest) => [first, ...rest]),
  );
}

export const mean = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const REPLICATES = 2_000;

/** 95 % percentile interval of the mean over people, by drawing people with replacement. */
export function intervalOverPeople(
  values: readonly number[],
  random: () => number,
): [low: number, high: number] {
  const means = Array.from({ length: REPLICATES }, () =>
    mean(values.map(() => values[Math.floor(random() * values.length)] as number)),
  ).sort((a, b) => a - b);
  return [
    means[Math.floor(0.025 * REPLICATES)] as number,
    means[Math.ceil(0.975 * REPLICATES) - 1] as number,
  ];
}
