import type { PersonScore } from '../../src/cli/calibrate/statistics/bootstrap.ts';
import { cosineDistance } from '../../src/cli/calibrate/statistics/scores.ts';
import type { EmbeddedPhoto } from './photos.ts';

/** The photographs of each person. */
export type People = EmbeddedPhoto[][];

export function groupByPerson(photos: readonly EmbeddedPhoto[]): People {
  const people = new Map<string, EmbeddedPhoto[]>();
  for (const photo of photos) {
    const known = people.get(photo.person);
    if (known) known.push(photo);
    else people.set(photo.person, [photo]);
  }
  return [...people.values()];
}

/** A copy in random order (Fisher-Yates). */
export function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1));
    [copy[i], copy[other]] = [copy[other] as T, copy[i] as T];
  }
  return copy;
}

/** The distances of all pairs of photographs of different people, computed once. */
export class Distances {
  readonly #known = new Map<EmbeddedPhoto, Map<EmbeddedPhoto, number>>();

  of(a: EmbeddedPhoto, b: EmbeddedPhoto): number {
    let row = this.#known.get(a);
    if (row === undefined) {
      row = new Map();
      this.#known.set(a, row);
    }
    let distance = row.get(b);
    if (distance === undefined) {
      distance = this.#known.get(b)?.get(a) ?? cosineDistance(a.embedding, b.embedding);
      row.set(b, distance);
    }
    return distance;
  }

  /** All pairs of different people, whose numbers are their places in the list. */
  impostors(people: People): PersonScore[] {
    return people.flatMap((photosA, personA) =>
      people.slice(personA + 1).flatMap((photosB, offset) =>
        photosA.flatMap((a) =>
          photosB.map((b) => ({
            distance: this.of(a, b),
            same: false,
            personA,
            personB: personA + 1 + offset,
          })),
        ),
      ),
    );
  }
}
