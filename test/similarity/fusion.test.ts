import { describe, expect, it } from 'vitest';
import { AGREEMENT_FAR, agreementOf, DEFAULT_AGREEMENT } from '../../src/similarity/agreement.ts';
import { packPoints } from '../../src/similarity/far-evidence.ts';
import { fuseEmbeddings } from '../../src/similarity/fusion.ts';
import { FAR_POINTS } from '../support/far-points.ts';
import { cosine, seededRandom } from '../support/numbers.ts';

const LENGTH = 64;

/** Pictures of people: those of one person have a cosine of about 0.6, those of two of about 0. */
function people(seed: number) {
  const random = seededRandom(seed);
  const noise = () => Array.from({ length: LENGTH }, () => random() + random() + random() - 1.5);
  const centres = Array.from({ length: 5 }, noise);
  return (person: number, weight = 1) => {
    const centre = centres[person] as number[];
    const vector = noise().map((value, i) => (centre[i] as number) + 0.8 * value);
    const norm = Math.hypot(...vector);
    return { embedding: Float32Array.from(vector, (value) => value / norm), weight };
  };
}

describe('a template of several pictures', () => {
  it('is the weighted mean of their unit vectors, scaled to norm 1', () => {
    const pictures = [
      { embedding: Float32Array.of(1, 0), weight: 1 },
      { embedding: Float32Array.of(0.6, 0.8), weight: 0.5 },
    ];
    const template = fuseEmbeddings(pictures, 0.2);
    const norm = Math.hypot(1.3, 0.4);
    expect(template?.embedding[0]).toBeCloseTo(1.3 / norm, 6);
    expect(template?.embedding[1]).toBeCloseTo(0.4 / norm, 6);
    expect(template).toMatchObject({ used: [0, 1], outliers: [] });
  });

  it('is the same for weights of any scale, and weights of 0 count the same', () => {
    const picture = people(1);
    const pictures = [picture(0, 0.2), picture(0, 0.9), picture(0, 0.4)];
    const scaled = pictures.map(({ embedding, weight }) => ({ embedding, weight: 10 * weight }));
    const [one, other] = [pictures, scaled].map((list) => fuseEmbeddings(list, 0.2)?.embedding);
    expect(cosine(Array.from(one ?? []), Array.from(other ?? []))).toBeCloseTo(1, 6);
    const zero = pictures.map(({ embedding }) => ({ embedding, weight: 0 }));
    const equal = pictures.map(({ embedding }) => ({ embedding, weight: 1 }));
    expect(fuseEmbeddings(zero, 0.2)).toEqual(fuseEmbeddings(equal, 0.2));
  });

  it('of one picture is its embedding', () => {
    const only = people(2)(0, 0);
    const template = fuseEmbeddings([only], 0.2);
    expect(template).toMatchObject({ used: [0], outliers: [] });
    expect(cosine(Array.from(template?.embedding ?? []), Array.from(only.embedding))).toBeCloseTo(1, 6);
  });

  it('leaves another person out, in any place of five pictures, and is what the others give', () => {
    for (let seed = 0; seed < 20; seed++) {
      const picture = people(seed);
      const own = Array.from({ length: 4 }, () => picture(0));
      for (let place = 0; place < 5; place++) {
        const template = fuseEmbeddings(own.toSpliced(place, 0, picture(1)), 0.3);
        expect(template?.outliers).toEqual([place]);
        expect(template?.embedding).toEqual(fuseEmbeddings(own, 0.3)?.embedding);
      }
    }
  });

  it('leaves two people, or two pictures of another person, out of five', () => {
    const picture = people(3);
    const own = [picture(0), picture(0), picture(0)];
    expect(fuseEmbeddings([picture(1), ...own, picture(2)], 0.3)?.outliers).toEqual([0, 4]);
    expect(fuseEmbeddings([picture(1), picture(1), ...own], 0.3)?.outliers).toEqual([0, 1]);
  });

  it.each([
    ['two people', [0, 1]],
    ['three people', [0, 1, 2]],
    ['two people with two pictures each', [0, 0, 1, 1]],
    ['a pair among five', [0, 0, 1, 2, 3]],
  ])('is refused where no more than half agree: %s', (_, persons) => {
    const picture = people(4);
    expect(
      fuseEmbeddings(
        persons.map((person) => picture(person)),
        0.3,
      ),
    ).toBeUndefined();
  });

  it('is not made of vectors that cancel out', () => {
    const opposite = [1, -1].map((value) => ({ embedding: Float32Array.of(value, 0), weight: 1 }));
    expect(fuseEmbeddings(opposite, 0)).toBeUndefined();
    expect(fuseEmbeddings([...opposite, ...opposite], 0)).toBeUndefined();
  });
});

describe('the cosine at which pictures agree', () => {
  const evidence = { embeddingSpace: '', embeddingSize: 2, provisional: false };

  it('is that of the measured curve at its rate', () => {
    expect(AGREEMENT_FAR).toBe(0.01);
    // The similarity of 0.6 has this rate.
    expect(agreementOf({ ...evidence, points: packPoints(FAR_POINTS) })).toBeCloseTo(0.2, 4);
    const high = FAR_POINTS.map((point) => ({ ...point, score: point.score + 0.1 }));
    expect(agreementOf({ ...evidence, points: packPoints(high) })).toBeCloseTo(0.4, 4);
  });

  it('is the lowest rate that the curve has, or a default without a curve', () => {
    const few = FAR_POINTS.map(({ far, low, ...point }) =>
      far !== undefined && far >= 0.1 ? { ...point, far, low } : point,
    );
    expect(agreementOf({ ...evidence, points: packPoints(few as typeof FAR_POINTS) })).toBeCloseTo(0, 4);
    expect(agreementOf(evidence)).toBe(DEFAULT_AGREEMENT);
    expect(agreementOf(undefined)).toBe(DEFAULT_AGREEMENT);
  });
});
