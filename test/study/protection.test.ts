import { describe, expect, it } from 'vitest';
import { ProtectingTransform } from '../../src/protection/transform.ts';
import { cosine, judge } from '../../study/protection/judge.ts';
import { factor, solve } from '../../study/protection/linear.ts';
import { matchByDistances } from '../../study/protection/match-unpaired.ts';
import { recover } from '../../study/protection/recover.ts';
import { key } from '../protection/keys.ts';
import { seededRandom } from '../support/numbers.ts';

const SIZE = 64;
const random = seededRandom(1);
const randomEmbeddings = (count: number) =>
  Array.from({ length: count }, () => Float32Array.from({ length: SIZE }, () => random() - 0.5));
const transform = new ProtectingTransform(key('test'), SIZE);
const protect = (list: Float32Array[]) => list.map((embedding) => transform.protect(embedding));

describe('the attack with known pairs', () => {
  const known = randomEmbeddings(SIZE);
  const secret = randomEmbeddings(20);
  const recoverWith = (count: number) => {
    const plain = known.slice(0, count);
    const recovered = recover({ plain, protected: protect(plain) }, protect(secret));
    return recovered.map((embedding, i) => cosine(embedding, secret[i] ?? []));
  };

  it('recovers everything from as many pairs as numbers', () => {
    expect(Math.min(...recoverWith(SIZE))).toBeGreaterThan(0.999);
  });

  it('recovers the share in the directions of the known embeddings from fewer', () => {
    // A quarter of the directions of a random embedding holds a quarter of its squared length.
    const cosines = recoverWith(SIZE / 4);
    expect(cosines.reduce((sum, value) => sum + value ** 2, 0) / cosines.length).toBeCloseTo(1 / 4, 1);
  });
});

it('the attack without pairs finds the same embeddings by their distances to each other', () => {
  const list = randomEmbeddings(30);
  const shuffled = list.toReversed();
  expect(matchByDistances(protect(list), shuffled)).toEqual(list.map((_, i) => 29 - i));
});

describe('the judgement', () => {
  const people = randomEmbeddings(200);
  const sidesWith = (right: Float32Array[]) =>
    people.map((left, i) => ({ person: `p${i}`, left, right: right[i] as Float32Array }));

  it('of equal embeddings is perfect', () => {
    expect(judge(sidesWith(people))).toMatchObject({
      people: 200,
      area: 1,
      rank1: { rate: 1 },
      tar01: { rate: 1 },
    });
  });

  it('of unrelated embeddings is chance', () => {
    const { area, rank1, tar1 } = judge(sidesWith(randomEmbeddings(200)));
    expect(area).toBeGreaterThan(0.4);
    expect(area).toBeLessThan(0.6);
    expect(rank1.rate).toBeLessThan(0.05);
    expect(tar1.rate).toBeLessThan(0.05);
  });
});

it('the solver solves symmetric equations, and refuses those without one solution', () => {
  const lower = factor([
    [4, 2],
    [2, 3],
  ]);
  const solution = solve(lower, [8, 8]);
  expect(solution[0]).toBeCloseTo(1, 12);
  expect(solution[1]).toBeCloseTo(2, 12);
  expect(() =>
    factor([
      [1, 1],
      [1, 1],
    ]),
  ).toThrow(RangeError);
});
