import { repeatableNoise } from '../../../../bench/repeatable-noise.ts';

/**
 * Makes the pairs of a collection sorted by person: every pair of one person's pictures, and impostor pairs drawn without
 * repetition from all pairs of pictures of two different people, each as likely as any other.
 *
 * @param people person → picture names.
 * @param impostors how many are drawn; all there are, where there are no more.
 * @returns [{a, b, same}], the same for the same people and seed.
 */
export function makePairs(people, { impostors, seed }) {
  const pictures = people.flatMap((names, person) => names.map((name) => ({ name, person })));
  const genuine = people.flatMap((names) =>
    names.flatMap((a, index) => names.slice(index + 1).map((b) => ({ a, b, same: true }))),
  );
  const possible = (pictures.length * (pictures.length - 1)) / 2 - genuine.length;
  const indexes =
    possible <= 2 * impostors ? someOf(allPairs(pictures), impostors, seed) : draw(pictures, impostors, seed);
  return [
    ...genuine,
    ...indexes.map(([i, j]) => ({ a: pictures[i].name, b: pictures[j].name, same: false })),
  ];
}

function allPairs(pictures) {
  const pairs = [];
  for (let i = 0; i < pictures.length; i++) {
    for (let j = i + 1; j < pictures.length; j++) {
      if (pictures[i].person !== pictures[j].person) pairs.push([i, j]);
    }
  }
  return pairs;
}

/** The first of a shuffle (Fisher and Yates), in the order of the list. */
function someOf(list, count, seed) {
  if (count >= list.length) return list;
  const random = repeatableNoise(seed);
  const order = Uint32Array.from(list, (_, index) => index);
  for (let i = 0; i < count; i++) {
    const other = i + Math.floor(random() * (order.length - i));
    [order[i], order[other]] = [order[other], order[i]];
  }
  return Array.from(order.subarray(0, count).sort(), (index) => list[index]);
}

/** At least half of the possible pairs are not wanted, so that drawing again is seldom needed. */
function draw(pictures, count, seed) {
  const random = repeatableNoise(seed);
  const drawn = new Map();
  while (drawn.size < count) {
    const pick = () => Math.floor(random() * pictures.length);
    const [i, j] = [pick(), pick()].sort((a, b) => a - b);
    if (pictures[i].person !== pictures[j].person) drawn.set(i * pictures.length + j, [i, j]);
  }
  return [...drawn.values()];
}
