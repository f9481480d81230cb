import { seededRandom } from '../statistics/seeded-random.ts';
import type { Pair } from './pair.ts';

export interface Draw {
  /** Impostor pairs to draw; if there are fewer, all of them are taken. */
  impostors: number;
  seed: number;
}

interface Picture {
  name: string;
  person: number;
}

/**
 * Makes the pairs of a collection that is sorted by person: every pair of pictures of the same person, and impostor pairs
 * drawn uniformly, without repetition, from all pairs of pictures of different people.
 *
 * @param people the names of each person's pictures.
 * @returns the same pairs for the same people and seed.
 */
export function makePairs(people: string[][], { impostors, seed }: Draw): Pair[] {
  const pictures = people.flatMap((names, person) => names.map((name) => ({ name, person })));
  const genuine = people.flatMap((names) =>
    names.flatMap((a, index) => names.slice(index + 1).map((b) => ({ a, b, same: true }))),
  );
  const possible = (pictures.length * (pictures.length - 1)) / 2 - genuine.length;
  const drawn =
    possible <= 2 * impostors
      ? sample(allImpostors(pictures), impostors, seed)
      : drawImpostors(pictures, impostors, seed);
  return [...genuine, ...drawn.map(([a, b]) => ({ a: a.name, b: b.name, same: false }))];
}

function allImpostors(pictures: Picture[]): [Picture, Picture][] {
  return pictures.flatMap((a, index) =>
    pictures
      .slice(index + 1)
      .filter((b) => a.person !== b.person)
      .map((b): [Picture, Picture] => [a, b]),
  );
}

/** Draws `count` items by a partial Fisher-Yates shuffle; they keep the order of the list. */
function sample<T>(list: T[], count: number, seed: number): T[] {
  if (count >= list.length) return list;
  const random = seededRandom(seed);
  const order = Uint32Array.from(list, (_, index) => index);
  for (let i = 0; i < count; i++) {
    const other = i + Math.floor(random() * (order.length - i));
    const index = order[i] as number;
    order[i] = order[other] as number;
    order[other] = index;
  }
  return Array.from(order.subarray(0, count).sort(), (index) => list[index] as T);
}

/** Draws again on a repetition, which is rare: at most half of the possible pairs are wanted. */
function drawImpostors(pictures: Picture[], count: number, seed: number): [Picture, Picture][] {
  const random = seededRandom(seed);
  const drawn = new Map<number, [Picture, Picture]>();
  while (drawn.size < count) {
    const pick = () => Math.floor(random() * pictures.length);
    const [first, second] = [pick(), pick()];
    const [i, j] = first < second ? [first, second] : [second, first];
    const [a, b] = [pictures[i] as Picture, pictures[j] as Picture];
    if (a.person !== b.person) drawn.set(i * pictures.length + j, [a, b]);
  }
  return [...drawn.values()];
}
