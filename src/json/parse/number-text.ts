import type { NumberSource } from '../../similarity/embedding.ts';
import { nearestQuotient, nearestQuotientOfMany } from './decimal.ts';

/** A list of numbers of a JSON body that stays in the body's bytes, where numbers take no more memory than they have digits. */
export class NumberText implements NumberSource {
  readonly length: number;
  readonly #body: Buffer;
  readonly #start: number;

  /**
   * @param start of the first number in the body.
   * @param length how many numbers there are: valid JSON, with commas between them.
   */
  constructor(body: Buffer, start: number, length: number) {
    this.#body = body;
    this.#start = start;
    this.length = length;
  }

  writeTo(values: Float64Array): void {
    const count = Math.min(this.length, values.length);
    let at = this.#start;
    for (let i = 0; i < count; i++) at = writeNumber(this.#body, at, values, i);
  }
}

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const LETTER_E = 0x45;

/**
 * Reads one number, the nearest double as JSON.parse does, and writes it to `values[index]`.
 *
 * @param from anywhere before the number, behind the one before.
 * @returns the position behind it.
 */
function writeNumber(body: Buffer, from: number, values: Float64Array, index: number): number {
  let at = from;
  // White space and commas are less than a minus sign.
  while ((body[at] as number) < MINUS) at++;
  const start = at;
  const negative = body[at] === MINUS;
  if (negative) at++;
  let digits = 0;
  let scale = 0;
  let digit = (body[at] as number) - ZERO;
  for (; digit >= 0 && digit <= 9; digit = (body[++at] as number) - ZERO) digits = digits * 10 + digit;
  if (body[at] === POINT) {
    const point = at++;
    digit = (body[at] as number) - ZERO;
    for (; digit >= 0 && digit <= 9; digit = (body[++at] as number) - ZERO) digits = digits * 10 + digit;
    scale = at - point - 1;
  }
  if (((body[at] as number) & ~0x20) !== LETTER_E) {
    let value = nearestQuotient(digits, scale);
    if (Number.isNaN(value)) value = nearestQuotientOfMany(body, start, at, scale);
    if (!Number.isNaN(value)) {
      values[index] = negative ? -value : value;
      return at;
    }
  } else {
    at = endOfExponent(body, at);
  }
  values[index] = Number(body.toString('latin1', start, at));
  return at;
}

function endOfExponent(body: Buffer, from: number): number {
  let at = from + 2;
  while ((body[at] as number) >= ZERO && (body[at] as number) <= ZERO + 9) at++;
  return at;
}
