import { ServiceError } from '../../errors.ts';

export const QUOTE = 0x22;
export const COLON = 0x3a;
export const COMMA = 0x2c;
export const OPEN_LIST = 0x5b;
export const CLOSE_LIST = 0x5d;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;

const SPACE = 0x20;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const LETTER_E = 0x45;
const LETTER_U = 0x75;
/** `"\/bfnrt`, and `u`, which four hexadecimal digits follow. */
const ESCAPES = new Set(Buffer.from('"\\/bfnrtu'));
/** By their first byte. */
const LITERALS: ReadonlyMap<number, { bytes: Buffer; value: boolean | null }> = new Map(
  [true, false, null].map((value) => {
    const bytes = Buffer.from(String(value));
    return [bytes[0] as number, { bytes, value }];
  }),
);

export function notJson(): ServiceError {
  return new ServiceError('INVALID_REQUEST', { detail: 'The body is not valid JSON.' });
}

/**
 * Moves over the tokens of a JSON text (RFC 8259) byte by byte, and creates nothing. `at` is the position of the next byte. Every
 * method begins there and leaves it behind what it has read.
 *
 * @throws {ServiceError} INVALID_REQUEST for what is not JSON; so do all methods.
 */
export class JsonScanner {
  readonly bytes: Buffer;
  at: number;
  /** The first backslash from `at` on, once it has been looked for; `bytes.length` when there is none. */
  #backslash = -1;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  /** @returns the byte after the white space. */
  skipSpace(): number | undefined {
    const { bytes } = this;
    let byte = bytes[this.at];
    // White space is rare, and all of it is at most a space.
    while ((byte as number) <= SPACE && isSpace(byte)) byte = bytes[++this.at];
    return byte;
  }

  /** Moves over a string, from its first quotation mark to behind its last. @returns whether it has escapes. */
  skipString(): boolean {
    const { bytes } = this;
    let escaped = false;
    for (let at = this.at + 1; ; at++) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) {
        this.at = at + 1;
        return escaped;
      }
      if (byte === BACKSLASH) {
        escaped = true;
        at = endOfEscape(bytes, at);
      } else if (!(byte >= 0x20)) {
        // A control character, or the end of the body.
        throw notJson();
      }
    }
  }

  /**
   * Moves over a string without escapes of at least so many bytes, faster than `skipString` does: control characters in it are
   * not looked for.
   *
   * @returns false, without moving, for any other string.
   */
  skipLongString(minBytes: number): boolean {
    const { bytes } = this;
    const start = this.at + 1;
    const end = bytes.indexOf(QUOTE, start);
    if (end - start < minBytes) return false;
    if (this.#backslash < start) {
      const next = bytes.indexOf(BACKSLASH, start);
      this.#backslash = next === -1 ? bytes.length : next;
    }
    if (this.#backslash < end) return false;
    this.at = end + 1;
    return true;
  }

  skipNumber(): void {
    const { bytes } = this;
    let at = this.at;
    if (bytes[at] === MINUS) at++;
    if (bytes[at] === ZERO) at++;
    else at = endOfDigits(bytes, at);
    if (bytes[at] === POINT) at = endOfDigits(bytes, at + 1);
    if (((bytes[at] as number) & ~0x20) === LETTER_E) {
      at++;
      if (bytes[at] === PLUS || bytes[at] === MINUS) at++;
      at = endOfDigits(bytes, at);
    }
    this.at = at;
  }

  /** Moves over `true`, `false` or `null`. @returns its value; undefined, without moving, when there is none. */
  readLiteral(): boolean | null | undefined {
    const { bytes, at } = this;
    const literal = LITERALS.get(bytes[at] as number);
    if (literal === undefined) return undefined;
    const end = at + literal.bytes.length;
    if (end > bytes.length || literal.bytes.compare(bytes, at, end) !== 0) throw notJson();
    this.at = end;
    return literal.value;
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

export function isNumberStart(byte: number | undefined): boolean {
  return byte === MINUS || isDigit(byte);
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}

/** The end of at least one digit. */
function endOfDigits(bytes: Buffer, from: number): number {
  let at = from;
  while ((bytes[at] as number) >= ZERO && (bytes[at] as number) <= NINE) at++;
  if (at === from) throw notJson();
  return at;
}

/** The last byte of an escape, from its backslash on. */
function endOfEscape(bytes: Buffer, backslash: number): number {
  const letter = bytes[backslash + 1] as number;
  if (!ESCAPES.has(letter)) throw notJson();
  if (letter !== LETTER_U) return backslash + 1;
  const end = backslash + 5;
  for (let at = backslash + 2; at <= end; at++) {
    const byte = bytes[at];
    const letterOfHex = ((byte as number) & ~0x20) - 0x41;
    if (!isDigit(byte) && !(letterOfHex >= 0 && letterOfHex < 6)) throw notJson();
  }
  return end;
}
