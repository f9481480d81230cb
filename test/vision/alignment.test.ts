import { describe, expect, it } from 'vitest';
import { fitSimilarity, landmarkTemplate, warpFace } from '../../src/vision/align/alignment.ts';
import { seededRandom } from '../support/numbers.ts';

describe('the similarity transform', () => {
  it('is recovered from points that it moved', () => {
    const random = seededRandom(7);
    for (let round = 0; round < 50; round++) {
      const angle = random() * 2 * Math.PI;
      const scale = 0.1 + random() * 5;
      const [a, b, tx, ty] = [
        scale * Math.cos(angle),
        scale * Math.sin(angle),
        random() * 500,
        random() * 500,
      ];
      const source = Array.from({ length: 10 }, () => random() * 200);
      const target = source.map((_, i) => {
        const x = source[i - (i % 2)] as number;
        const y = source[i - (i % 2) + 1] as number;
        return i % 2 === 0 ? a * x - b * y + tx : b * x + a * y + ty;
      });
      const fitted = fitSimilarity(source, target);
      expect(fitted.a).toBeCloseTo(a, 9);
      expect(fitted.b).toBeCloseTo(b, 9);
      expect(fitted.tx).toBeCloseTo(tx, 6);
      expect(fitted.ty).toBeCloseTo(ty, 6);
    }
  });

  it('minimises the squared error when no transform fits exactly', () => {
    const random = seededRandom(11);
    const source = Array.from({ length: 10 }, () => random() * 100);
    const target = Array.from({ length: 10 }, () => random() * 100);
    const best = fitSimilarity(source, target);
    const error = ({ a, b, tx, ty }: typeof best) => {
      let sum = 0;
      for (let i = 0; i < 10; i += 2) {
        const [x, y] = [source[i] as number, source[i + 1] as number];
        sum += (a * x - b * y + tx - (target[i] as number)) ** 2;
        sum += (b * x + a * y + ty - (target[i + 1] as number)) ** 2;
      }
      return sum;
    };
    for (const key of ['a', 'b', 'tx', 'ty'] as const) {
      for (const step of [-0.01, 0.01]) {
        expect(error({ ...best, [key]: best[key] + step })).toBeGreaterThan(error(best));
      }
    }
  });

  it('stays finite when all points coincide', () => {
    const fitted = fitSimilarity(Array(10).fill(30), landmarkTemplate(112));
    expect(Object.values(fitted).every(Number.isFinite)).toBe(true);
  });
});

describe('the landmark template', () => {
  it('scales with the input size, with a wider margin at the sides for multiples of 128', () => {
    expect(landmarkTemplate(112)[0]).toBeCloseTo(38.2946, 4);
    expect(landmarkTemplate(224)[1]).toBeCloseTo(2 * 51.6963, 4);
    expect(landmarkTemplate(128)[0]).toBeCloseTo(38.2946 + 8, 4);
    expect(landmarkTemplate(128)[1]).toBeCloseTo(51.6963, 4);
  });
});

describe('the face warp', () => {
  const side = 16;
  const random = seededRandom(3);
  const picture = {
    data: Uint8Array.from({ length: 20 * 20 * 3 }, () => Math.floor(random() * 256)),
    width: 20,
    height: 20,
  };
  const level = (x: number, y: number, channel: number) => picture.data[(y * 20 + x) * 3 + channel] as number;

  it('copies pixels under the identity transform', () => {
    const face = new Uint8Array(3 * side * side);
    warpFace(picture, { a: 1, b: 0, tx: 0, ty: 0 }, side, face);
    for (const channel of [0, 1, 2]) expect(face[(3 * side + 5) * 3 + channel]).toBe(level(5, 3, channel));
  });

  it('rotates by 90°', () => {
    const face = new Uint8Array(3 * side * side);
    // (x, y) of the picture goes to (−y + 15, x).
    warpFace(picture, { a: 0, b: 1, tx: 15, ty: 0 }, side, face);
    for (const [x, y] of [
      [0, 0],
      [4, 9],
      [15, 2],
    ] as const) {
      expect(face[(x * side + (15 - y)) * 3]).toBe(level(x, y, 0));
    }
  });

  it('interpolates between the four neighbours', () => {
    const face = new Uint8Array(3 * side * side);
    warpFace(picture, { a: 1, b: 0, tx: -0.25, ty: -0.5 }, side, face);
    const expected =
      0.5 * (0.75 * level(2, 2, 0) + 0.25 * level(3, 2, 0)) +
      0.5 * (0.75 * level(2, 3, 0) + 0.25 * level(3, 3, 0));
    expect(face[(2 * side + 2) * 3]).toBe(Math.round(expected));
  });

  it('is black outside the picture and interpolates to black at its edge', () => {
    const white = { data: new Uint8Array(20 * 20 * 3).fill(200), width: 20, height: 20 };
    const face = new Uint8Array(3 * side * side);
    warpFace(white, { a: 1, b: 0, tx: 4.5, ty: 0 }, side, face);
    expect([0, 1, 2, 3, 4, 5].map((x) => face[x * 3])).toEqual([0, 0, 0, 0, 100, 200]);
    warpFace(white, { a: 1, b: 0, tx: 500, ty: -500 }, side, face);
    expect(face.every((value) => value === 0)).toBe(true);
  });
});
