import { hkdfSync } from 'node:crypto';
import type { EmbeddingKey } from './embedding-key.ts';

/*
 * The keyed orthogonal transform. docs/PROTECTION.md specifies it for other languages, with known answers; what changes an
 * answer needs a new VERSION.
 */

const VERSION = 'v1';

/** Even, so that the scale of all rounds together is a power of two, which multiplies without rounding. */
const ROUNDS = 6;

/** Below, the transform hides little; above, HKDF gives too few bytes for a round (RFC 5869: 255 hashes). */
const SIZES: readonly number[] = [64, 128, 256, 512, 1024];

export const ACCEPTED_SIZES = '64, 128, 256, 512 or 1024';

export const isProtectable = (size: number): boolean => SIZES.includes(size);

/** One round: x becomes the Hadamard transform of (signs[i] · x[order[i]]). */
interface Round {
  order: Uint16Array;
  /** 1 or −1. */
  signs: Int8Array;
}

/**
 * An orthogonal matrix of a key, as six rounds of a permutation, signs and a Hadamard transform: O(n log n) additions of
 * doubles in a fixed order, so that every machine gets the same numbers.
 *
 * Source of the construction: Ailon and Chazelle, "The Fast Johnson–Lindenstrauss Transform", SIAM J. Comput. 39 (2009), whose
 * round is repeated.
 */
export class ProtectingTransform {
  /** Numbers of an embedding. */
  readonly size: number;
  readonly #rounds: readonly Round[];
  readonly #scale: number;
  /** The numbers before and after a round, reused from embedding to embedding. */
  #values: Float64Array;
  #next: Float64Array;

  /**
   * @param size numbers of an embedding, which `isProtectable`.
   * @throws {RangeError} for another size.
   */
  constructor(key: EmbeddingKey, size: number) {
    if (!isProtectable(size)) {
      throw new RangeError(
        `An embedding has ${size} numbers; those that can be protected have ${ACCEPTED_SIZES}.`,
      );
    }
    this.size = size;
    this.#rounds = Array.from({ length: ROUNDS }, (_, round) => deriveRound(key, size, round));
    // Each Hadamard transform is scaled by 1/√n.
    this.#scale = size ** (-ROUNDS / 2);
    this.#values = new Float64Array(size);
    this.#next = new Float64Array(size);
  }

  /**
   * @param embedding of `size` numbers, plain. It is not changed.
   * @returns the protected embedding, rounded to float32. Its norm is that of the plain one.
   */
  protect(embedding: ArrayLike<number>): Float32Array<ArrayBuffer> {
    this.#values.set(embedding);
    for (const { order, signs } of this.#rounds) {
      for (let i = 0; i < this.size; i++) {
        this.#next[i] = (signs[i] as number) * (this.#values[order[i] as number] as number);
      }
      transformHadamard(this.#next);
      this.#swap();
    }
    return this.#scaled();
  }

  /**
   * The inverse, which is the transpose.
   *
   * @param embedding of `size` numbers, protected. It is not changed.
   * @returns the plain embedding in double precision.
   */
  reveal(embedding: ArrayLike<number>): Float64Array<ArrayBuffer> {
    this.#values.set(embedding);
    for (const { order, signs } of this.#rounds.toReversed()) {
      transformHadamard(this.#values);
      for (let i = 0; i < this.size; i++) {
        this.#next[order[i] as number] = (signs[i] as number) * (this.#values[i] as number);
      }
      this.#swap();
    }
    return Float64Array.from(this.#values, (value) => value * this.#scale);
  }

  #swap(): void {
    [this.#values, this.#next] = [this.#next, this.#values];
  }

  #scaled(): Float32Array<ArrayBuffer> {
    const numbers = new Float32Array(this.size);
    for (let i = 0; i < this.size; i++) numbers[i] = (this.#values[i] as number) * this.#scale;
    return numbers;
  }
}

/** A bit of the derived bytes for each sign, then 32 bits for each step of the shuffle. */
function deriveRound({ name, secret }: EmbeddingKey, size: number, round: number): Round {
  const info = `face-embedding-service/protection/${VERSION}/${name}/${size}/${round}`;
  const bytes = new DataView(hkdfSync('sha256', secret, '', info, size / 8 + 4 * (size - 1)));
  const signs = Int8Array.from({ length: size }, (_, i) =>
    (bytes.getUint8(i >> 3) >> (i & 7)) & 1 ? -1 : 1,
  );
  const order = Uint16Array.from({ length: size }, (_, i) => i);
  // Fisher–Yates. A product of 32 and 10 bits is exact in a double.
  for (let i = size - 1, at = size / 8; i > 0; i--, at += 4) {
    const j = Math.floor((bytes.getUint32(at, true) * (i + 1)) / 2 ** 32);
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return { order, signs };
}

/**
 * The Walsh–Hadamard transform in natural order, in place and not scaled: sums and differences of numbers that are 1, 2, 4, …
 * apart.
 */
function transformHadamard(values: Float64Array): void {
  for (let distance = 1; distance < values.length; distance *= 2) {
    for (let block = 0; block < values.length; block += 2 * distance) {
      for (let i = block; i < block + distance; i++) {
        const a = values[i] as number;
        const b = values[i + distance] as number;
        values[i] = a + b;
        values[i + distance] = a - b;
      }
    }
  }
}
