import type { Pair, PersonOf } from './pair.ts';

export interface People {
  /** Number of the person on a picture, from 0 to below `count`. */
  numberOf: (picture: string) => number;
  count: number;
}

/**
 * Numbers the people on the pictures. If `personOf` is absent, the pairs tell: pictures that are linked by pairs of the
 * same person, or that are the same file, show one person. Two such groups may still be one person that no pair links.
 *
 * @param fileOf gives the hash of a picture's file.
 */
export function numberPeople(
  pairs: Pair[],
  { personOf, fileOf }: { personOf?: PersonOf | undefined; fileOf: PersonOf },
): People {
  const groups = new DisjointSets();
  const keyOf = (picture: string) => (personOf ?? fileOf)(picture);
  for (const { a, b, same } of pairs) {
    if (same) groups.unite(keyOf(a), keyOf(b));
  }
  const numbers = new Map<string, number>();
  const numberOf = (picture: string) => {
    const root = groups.rootOf(keyOf(picture));
    const number = numbers.get(root) ?? numbers.size;
    numbers.set(root, number);
    return number;
  };
  for (const { a, b } of pairs) {
    numberOf(a);
    numberOf(b);
  }
  return { numberOf, count: numbers.size };
}

/** A union-find structure with path compression. */
class DisjointSets {
  readonly #parents = new Map<string, string>();

  rootOf(key: string): string {
    let root = key;
    for (let parent = this.#parents.get(root); parent !== undefined; parent = this.#parents.get(root)) {
      root = parent;
    }
    for (let at = key; at !== root; ) {
      const next = this.#parents.get(at) as string;
      this.#parents.set(at, root);
      at = next;
    }
    return root;
  }

  unite(a: string, b: string): void {
    const [first, second] = [this.rootOf(a), this.rootOf(b)];
    if (first !== second) this.#parents.set(first, second);
  }
}
