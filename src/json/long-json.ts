import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { Base64Text } from '../base64.ts';
import { invalidJson, parseJson } from './parse.ts';

/** Texts of at least so many bytes stay bytes; an embedding of 512 numbers has 2,732. */
const LONG = 1024;
/** How far a scan looks by itself before it calls for a native search, which is faster only over a distance. */
const NEAR = 48;
/** Long texts are expected at the top, in a member of it, or in a list there: no valid body has them further down. */
const DEPTH = 4;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/**
 * A long text of a JSON body that has not been looked at: like a string, it has a length and gives pieces of itself.
 * Lengths and places are in bytes, which are characters wherever it is base64.
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

  /** @throws {ServiceError} INVALID_REQUEST when it is no valid JSON string after all. */
  toString(): string {
    return parseJson(this.#body.subarray(this.#start - 1, this.#start + this.length + 1)) as string;
  }
}

/**
 * Parses a JSON body as `parseJson` does, but for long texts without escapes, which come as LongText where they are most
 * of the body. That saves making one string of the whole body and then one of each text: of thousands of embeddings, half
 * of the time and all of the memory.
 *
 * @throws {ServiceError} INVALID_REQUEST for what is not JSON in UTF-8, unless it is the inside of a LongText.
 */
export function parseLongJson(bytes: Uint8Array): unknown {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!isUtf8(body)) throw invalidJson();
  const spans = [...findLongTexts(body)];
  const spared = spans.reduce((sum, [start, end]) => sum + end - start, 0);
  // Of a body of numbers with one text, both halves of the work would be done.
  if (spared < body.length / 2) return parseJson(bytes);
  // Nobody can write such a text by chance or on purpose.
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
  return putBack(parseJson(Buffer.from(pieces.join(''))), texts, DEPTH);
}

/** Where the long texts without escapes are that are no names of members: behind one quotation mark and before another. */
function* findLongTexts(body: Buffer): Generator<[start: number, end: number]> {
  let backslash = body.indexOf(BACKSLASH);
  let quote = find(body, QUOTE, 0);
  while (quote !== -1) {
    const start = quote + 1;
    let end = find(body, QUOTE, start);
    if (backslash !== -1 && backslash < start) backslash = body.indexOf(BACKSLASH, start);
    if (backslash !== -1 && backslash < end) end = endOfEscaped(body, backslash);
    else if (end - start >= LONG && body[skipSpace(body, end + 1)] !== COLON) yield [start, end];
    if (end === -1) return;
    quote = find(body, QUOTE, end + 1);
  }
}

function find(body: Buffer, byte: number, from: number): number {
  const near = Math.min(from + NEAR, body.length);
  for (let at = from; at < near; at++) if (body[at] === byte) return at;
  return near < body.length ? body.indexOf(byte, near) : -1;
}

/** The closing quotation mark of a text, from its first backslash on. */
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

/** Puts the long texts in the places of their placeholders. */
function putBack(value: unknown, texts: ReadonlyMap<string, LongText>, depth: number): unknown {
  if (typeof value === 'string') return texts.get(value) ?? value;
  if (depth === 0 || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    // Of numbers, there may be millions.
    if (typeof value[0] === 'number') return value;
    for (let i = 0; i < value.length; i++) value[i] = putBack(value[i], texts, depth - 1);
    return value;
  }
  const members = value as Record<string, unknown>;
  for (const name in members) {
    // To assign to this one would do something else; no valid body has it.
    if (name !== '__proto__') members[name] = putBack(members[name], texts, depth - 1);
  }
  return value;
}
