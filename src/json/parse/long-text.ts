import type { Base64Text } from '../../base64.ts';
import { notJson } from './scanner.ts';

/**
 * A long string of a JSON body that stays in the body's bytes: like a string, it has a length and gives slices of itself.
 * Lengths and positions are in bytes, which are characters wherever the text is base64.
 */
export class LongText implements Base64Text {
  readonly length: number;
  readonly #body: Buffer;
  readonly #start: number;

  constructor(body: Buffer, start: number, end: number) {
    this.#body = body;
    this.#start = start;
    this.length = end - start;
  }

  slice(start = 0, end = this.length): string {
    return this.#body.toString('latin1', this.#start + start, this.#start + Math.min(end, this.length));
  }

  /** @throws {ServiceError} INVALID_REQUEST when it has a control character, which makes the body invalid JSON. */
  toString(): string {
    try {
      return JSON.parse(this.#body.toString('utf8', this.#start - 1, this.#start + this.length + 1));
    } catch {
      throw notJson();
    }
  }
}

export function isText(value: unknown): value is string | LongText {
  return typeof value === 'string' || value instanceof LongText;
}
