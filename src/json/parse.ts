import { isAscii, isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { Base64Text } from '../base64.ts';
import { ServiceError } from '../errors.ts';

/** Strings of at least this many bytes can become a LongText; an embedding of 512 numbers has 2,732. */
const MIN_LONG_TEXT = 1024;
/** Bytes that a scan compares one by one before it calls a native search, which is faster over long distances only. */
const NEAR = 48;
/** Maximum depth of a LongText: the body, its members, their items, and members of those. */
const MAX_DEPTH = 4;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/**
 * Parses a JSON body.
 *
 * @throws {ServiceError} INVALID_REQUEST for what is not JSON in UTF-8. The text itself is never quoted.
 */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decodeText(bytes));
  } catch {
    throw new ServiceError('INVALID_REQUEST', { detail: 'The body is not valid JSON.' });
  }
}

/** Large bodies are base64 or digits, hence ASCII, which is far cheaper to copy than UTF-8 is to decode. */
function decodeText(bytes: Uint8Array): string {
  if (isAscii(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}

/**
 * A long string of a JSON body that is kept as bytes of the body. Like a string, it has a length and slices, in bytes, which are
 * characters wherever the text is base64.
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

  /** @throws {ServiceError} INVALID_REQUEST when it is not a valid JSON string. */
  toString(): string {
    return parseJson(this.#body.subarray(this.#start - 1, this.#start + this.length + 1)) as string;
  }
}

export function isText(value: unknown): value is string | LongText {
  return typeof value === 'string' || value instanceof LongText;
}

/**
 * Parses a JSON body as `parseJson` does, except that long strings in the named members (in the body, in a list, or in items of
 * a list) become LongText where they make up most of the body. For thousands of embeddings, that saves half of the time and
 * all of the memory of a string for the body and of one for each embedding.
 *
 * How it works: the long strings are found by their quotation marks and replaced by short unique ones, what is left is parsed
 * as usual, and the result's short strings are replaced by a LongText each.
 *
 * @param members names of members that hold base64.
 * @throws {ServiceError} INVALID_REQUEST for what is not JSON in UTF-8; not for the content of a LongText, which is read later.
 */
export function parseJsonWithLongTexts(bytes: Uint8Array, members: ReadonlySet<string>): unknown {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!isUtf8(body)) return parseJson(bytes);
  const spans = [...findLongTexts(body)];
  const spared = spans.reduce((sum, [start, end]) => sum + end - start, 0);
  // Replacing one long string in a body of numbers costs more than it saves.
  if (spared < body.length / 2) return parseJson(bytes);
  // Random, so that no body can contain it.
  const mark = randomUUID();
  const texts = new Map<string, LongText>();
  const pieces: string[] = [];
  let copied = 0;
  for (const [start, end] of spans) {
    const placeholder = `${mark}${texts.size}`;
    texts.set(placeholder, new LongText(body, start, end));
    pieces.push(body.toString('utf8', copied, start), placeholder);
    copied = end;
  }
  pieces.push(body.toString('utf8', copied));
  const parsed = parseJson(Buffer.from(pieces.join('')));
  return restoreTexts(parsed, { texts, members, depth: MAX_DEPTH, keep: false });
}

/** Finds long strings without escapes that are values, not names: from a quotation mark to the next one. */
function* findLongTexts(body: Buffer): Generator<[start: number, end: number]> {
  let backslash = body.indexOf(BACKSLASH);
  let quote = find(body, QUOTE, 0);
  while (quote !== -1) {
    const start = quote + 1;
    let end = find(body, QUOTE, start);
    if (backslash !== -1 && backslash < start) backslash = body.indexOf(BACKSLASH, start);
    if (backslash !== -1 && backslash < end) end = endOfEscaped(body, backslash);
    else if (end - start >= MIN_LONG_TEXT && body[skipSpace(body, end + 1)] !== COLON) yield [start, end];
    if (end === -1) return;
    quote = find(body, QUOTE, end + 1);
  }
}

function find(body: Buffer, byte: number, from: number): number {
  const near = Math.min(from + NEAR, body.length);
  for (let at = from; at < near; at++) if (body[at] === byte) return at;
  return near < body.length ? body.indexOf(byte, near) : -1;
}

/** The closing quotation mark of a string, from its first backslash on. */
function endOfEscaped(body: Buffer, backslash: number): number {
  let at = backslash;
  while (at < body.length && body[at] !== QUOTE) at += body[at] === BACKSLASH ? 2 : 1;
  return at < body.length ? at : -1;
}

function skipSpace(body: Buffer, from: number): number {
  let at = from;
  while (body[at] === 0x20 || body[at] === 0x0a || body[at] === 0x0d || body[at] === 0x09) at++;
  return at;
}

interface Restoring {
  texts: ReadonlyMap<string, LongText>;
  members: ReadonlySet<string>;
  /** Levels that remain to be searched. */
  depth: number;
  /** Whether a text found here stays a LongText. */
  keep: boolean;
}

function restoreTexts(value: unknown, restoring: Restoring): unknown {
  const { texts, members, depth, keep } = restoring;
  if (typeof value === 'string') {
    const text = texts.get(value);
    return keep ? (text ?? value) : (text?.toString() ?? value);
  }
  if (depth === 0 || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    // There may be millions of numbers.
    if (typeof value[0] === 'number') return value;
    const inside = { ...restoring, depth: depth - 1 };
    for (let i = 0; i < value.length; i++) value[i] = restoreTexts(value[i], inside);
    return value;
  }
  const object = value as Record<string, unknown>;
  for (const name in object) {
    // Assigning to __proto__ would set the prototype; no valid body has such a member.
    if (name === '__proto__') continue;
    object[name] = restoreTexts(object[name], { texts, members, depth: depth - 1, keep: members.has(name) });
  }
  return value;
}
