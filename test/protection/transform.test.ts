import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ProtectingTransform } from '../../src/protection/transform.ts';
import { rankEach } from '../../src/similarity/compare.ts';
import { openVectors } from '../../src/similarity/embedding-set.ts';
import { seededRandom } from '../support/numbers.ts';
import { ROOT } from '../support/shared.ts';
import { key, OTHER_SECRET, SECRET } from './keys.ts';

const DOCUMENT = readFileSync(join(ROOT, 'docs/PROTECTION.md'), 'utf8');
const PYTHON = ['/usr/bin/python3', '/usr/local/bin/python3'].find(existsSync);

const SIZES = [64, 128, 256, 512, 1024];

function randomUnit(size: number, random: () => number): Float32Array<ArrayBuffer> {
  const values = Float32Array.from({ length: size }, () => random() - 0.5);
  const norm = Math.sqrt(dot(values, values));
  return values.map((value) => value / norm);
}

function dot(p: ArrayLike<number>, q: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < p.length; i++) sum += (p[i] as number) * (q[i] as number);
  return sum;
}

/** The numbers 1, 2, 3, …: all intermediate results are whole and exact, so the answer is the same to the bit everywhere. */
const countingUp = (size: number) => Float32Array.from({ length: size }, (_, i) => i + 1);

const sha256 = (values: Float32Array<ArrayBuffer>) =>
  createHash('sha256').update(Buffer.from(values.buffer)).digest('hex');

describe('the transform of a key', () => {
  // | 128 | first, second, third | `digest` |
  const rows = [...DOCUMENT.matchAll(/^\| (\d+) \| (\S+), (\S+), (\S+) \| `([0-9a-f]{64})` \|$/gm)];

  it.each(
    rows.map(([, size, a, b, c, digest]) => ({ size: Number(size), first: [a, b, c].map(Number), digest })),
  )('gives the known answer of the document for $size numbers', ({ size, first, digest }) => {
    const answer = new ProtectingTransform(key('test'), size).protect(countingUp(size));
    expect([...answer.subarray(0, 3)]).toEqual(first);
    expect(sha256(answer)).toBe(digest);
  });

  it('has known answers for the usual sizes', () => {
    expect(rows.map(([, size]) => Number(size))).toEqual([128, 256, 512]);
  });

  it.skipIf(PYTHON === undefined)('is what the Python of the document computes', () => {
    const code = /^```python\n(.*?)^```/ms.exec(DOCUMENT)?.[1];
    const plain = randomUnit(512, seededRandom(4));
    const call = `import sys\nx = struct.unpack("<512f", sys.stdin.buffer.read())\nsys.stdout.buffer.write(protect("test", "${SECRET}", x))`;
    const { stdout } = spawnSync(PYTHON as string, ['-c', `${code}\n${call}`], {
      input: Buffer.from(plain.buffer),
    });
    const answer = new ProtectingTransform(key('test'), 512).protect(plain);
    expect(stdout.equals(Buffer.from(answer.buffer))).toBe(true);
  });

  it.each(SIZES)(
    'of %i numbers is orthogonal: columns have length 1, and a right angle to all others',
    (size) => {
      const transform = new ProtectingTransform(key('test'), size);
      const columns = Array.from({ length: Math.min(size, 256) }, (_, i) => {
        const unit = new Float32Array(size);
        // Of large sizes not all, which takes seconds.
        unit[i * Math.max(1, size / 256)] = 1;
        return transform.protect(unit);
      });
      let largest = 0;
      for (const [i, p] of columns.entries()) {
        for (const q of columns.slice(0, i)) largest = Math.max(largest, Math.abs(dot(p, q)));
        largest = Math.max(largest, Math.abs(dot(p, p) - 1));
      }
      expect(largest).toBeLessThan(1e-6);
    },
  );

  it.each(SIZES)('of %i numbers is undone by the same key', (size) => {
    const random = seededRandom(size);
    const transform = new ProtectingTransform(key('test'), size);
    for (let i = 0; i < 20; i++) {
      const plain = randomUnit(size, random);
      const revealed = transform.reveal(transform.protect(plain));
      expect(Math.max(...revealed.map((value, j) => Math.abs(value - (plain[j] as number))))).toBeLessThan(
        1e-6,
      );
    }
  });

  it('looks like a random one: no number depends on a few, and all have about the same size', () => {
    const size = 512;
    const unit = new Float32Array(size);
    unit[7] = 1;
    const column = new ProtectingTransform(key('test'), size).protect(unit);
    const scaled = Array.from(column, (value) => value * Math.sqrt(size));
    expect(Math.max(...scaled.map(Math.abs))).toBeLessThan(5);
    // The fourth moment of the normal distribution is 3.
    expect(scaled.reduce((sum, value) => sum + value ** 4, 0) / size).toBeGreaterThan(2);
  });

  it('is another one for another secret, and for the same secret under another name', () => {
    const plain = randomUnit(512, seededRandom(1));
    const protectedBy = [key('test'), key('other'), key('test', OTHER_SECRET)].map((one) =>
      new ProtectingTransform(one, 512).protect(plain),
    ) as [Float32Array, Float32Array, Float32Array];
    const [first, otherName, otherSecret] = protectedBy;
    for (const other of [otherName, otherSecret, plain])
      expect(Math.abs(dot(first, other))).toBeLessThan(0.25);
    expect(Math.abs(dot(otherName, otherSecret))).toBeLessThan(0.25);
  });

  it('does not change what it is given, and gives the same again', () => {
    const plain = randomUnit(256, seededRandom(2));
    const copy = plain.slice();
    const transform = new ProtectingTransform(key('test'), 256);
    const first = transform.protect(plain);
    transform.reveal(first);
    expect(transform.protect(plain)).toEqual(first);
    expect(plain).toEqual(copy);
  });

  it.each([0, 1, 100, 500, 2048])('does not exist for %i numbers', (size) => {
    expect(() => new ProtectingTransform(key('test'), size)).toThrow(RangeError);
  });
});

describe('a ranking of 10,000', () => {
  it('is the same for protected embeddings: the same order, ties aside, and distances within 1e-6', () => {
    const [size, count] = [512, 10_000];
    const random = seededRandom(3);
    const plain = Array.from({ length: count + 1 }, () => randomUnit(size, random));
    const transform = new ProtectingTransform(key('test'), size);
    const ranked = rank(plain);
    const rankedProtected = rank(plain.map((embedding) => transform.protect(embedding)));

    const distanceOf = new Map(ranked.map(({ id, distance }) => [id, distance]));
    let largest = 0;
    for (const [place, { id, distance }] of rankedProtected.entries()) {
      const before = distanceOf.get(id) as number;
      largest = Math.max(largest, Math.abs(distance - before));
      // Where the order differs, the two were within the rounding of float32.
      const inItsPlace = ranked[place] as (typeof ranked)[number];
      if (inItsPlace.id !== id) expect(Math.abs(inItsPlace.distance - before)).toBeLessThan(2e-7);
    }
    expect(largest).toBeLessThan(1e-6);
    expect(rankedProtected).toHaveLength(count);
  });

  /** Ranks all but the first embedding by their distance to it, as /v1/compare does. */
  function rank([query, ...references]: Float32Array[]) {
    const length = query?.length ?? 0;
    const values = new Float64Array(references.length * length);
    for (const [i, reference] of references.entries()) values.set(reference, i * length);
    const ids = references.map((_, i) => String(i));
    const queries = { count: 1, length, values: Float64Array.from(query ?? []) };
    const [ranking] = rankEach(queries, openVectors(ids, { length, values }), { distance_metric: 'cosine' });
    return ranking?.matches ?? [];
  }
});
