import { type Share, shareOf } from '../../src/cli/calibrate/statistics/intervals.ts';

/** How well the left embeddings find the right ones of the same people. */
export interface Judgement {
  /** Share of people whose own embedding is the nearest one, among `people`. */
  rank1: Share;
  people: number;
  /** Share of genuine pairs that are at least as similar as all but 1 % and 0.1 % of the impostor pairs. */
  tar1: Share;
  tar01: Share;
  /** Area under the ROC curve; 0.5 is chance. */
  area: number;
}

/** Embeddings of a person on both sides. */
export interface Sides {
  person: string;
  left: ArrayLike<number>;
  right: ArrayLike<number>;
}

/** Cosine similarities of genuine and impostor pairs, and how often the nearest one is right. */
export class Trials {
  readonly #genuine: number[] = [];
  readonly #impostor: number[] = [];
  #found = 0;
  #searches = 0;
  #people = 0;

  /** Compares each left embedding with each right one. */
  add(sides: readonly Sides[]): void {
    const similarities = sides.map(({ left }) => sides.map(({ right }) => cosine(left, right)));
    for (const [i, p] of sides.entries()) {
      for (const [j, q] of sides.entries()) {
        const value = similarities[i]?.[j] as number;
        if (i === j) this.#genuine.push(value);
        else if (p.person !== q.person) this.#impostor.push(value);
      }
    }
    // One of each person, so that chance is 1 in as many.
    const first = sides.flatMap(({ person }, i) =>
      sides.findIndex((other) => other.person === person) === i ? [i] : [],
    );
    for (const i of first) {
      const row = first.map((j) => similarities[i]?.[j] as number);
      if (first[row.indexOf(Math.max(...row))] === i) this.#found++;
      this.#searches++;
    }
    this.#people = first.length;
  }

  judge(): Judgement {
    const impostor = Float64Array.from(this.#impostor).sort();
    const tar = (far: number) => {
      const threshold = impostor[Math.ceil((1 - far) * impostor.length)] as number;
      return shareOf(this.#genuine.filter((value) => value >= threshold).length, this.#genuine.length);
    };
    return {
      rank1: shareOf(this.#found, this.#searches),
      people: this.#people,
      tar1: tar(0.01),
      tar01: tar(0.001),
      area: this.#area(impostor),
    };
  }

  /** The share of pairs of trials in which the genuine one is more similar (Mann and Whitney). */
  #area(impostor: Float64Array): number {
    const below = this.#genuine.map((value) => countBelow(impostor, value) / impostor.length);
    return below.reduce((sum, share) => sum + share, 0) / below.length;
  }
}

export function judge(sides: readonly Sides[]): Judgement {
  const trials = new Trials();
  trials.add(sides);
  return trials.judge();
}

export function cosine(p: ArrayLike<number>, q: ArrayLike<number>): number {
  let [dot, pp, qq] = [0, 0, 0];
  for (let i = 0; i < p.length; i++) {
    const [a, b] = [p[i] as number, q[i] as number];
    dot += a * b;
    pp += a * a;
    qq += b * b;
  }
  return dot / Math.sqrt(pp * qq);
}

function countBelow(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
