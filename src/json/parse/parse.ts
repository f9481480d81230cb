import { isAscii, isUtf8 } from 'node:buffer';
import { ServiceError } from '../../errors.ts';
import { LongText } from './long-text.ts';
import { NumberText } from './number-text.ts';
import {
  CLOSE_LIST,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  isNumberStart,
  JsonScanner,
  notJson,
  OPEN_LIST,
  OPEN_OBJECT,
  QUOTE,
} from './scanner.ts';

/**
 * What is read of a JSON value. Strings, numbers, booleans and null are always read. An object or a list is read if there is a shape
 * for what is in it; otherwise it becomes an empty one, since its type is enough to refuse it.
 */
export interface Shape {
  /** The members that are read, in an object. */
  members?: readonly Member[];
  /** What other members are read as. Without it, they are null. */
  others?: Shape;
  /** What the items of a list are read as. */
  items?: Shape;
  /** Whether a string holds base64: a long one becomes a LongText. */
  base64?: boolean;
  /** Whether a list holds numbers: it becomes a NumberText, or `[null]` if it holds anything else. */
  numbers?: boolean;
}

export interface Member {
  name: string;
  /** The name in UTF-8. */
  bytes: Buffer;
  shape: Shape;
}

export function membersOf(shapes: Record<string, Shape>): Member[] {
  return Object.entries(shapes).map(([name, shape]) => ({ name, bytes: Buffer.from(name), shape }));
}

/** Strings, numbers, booleans and null. */
export const SCALAR: Shape = {};

export interface ParseLimits {
  /**
   * Maximum items of a list that are kept; more are counted, see `countItems`. It is also the maximum of the items that are kept of
   * all lists inside other lists together: each of thousands of objects may have a list.
   */
  items: number;
}

/** Objects and lists inside each other. The deepest valid body has four. */
const MAX_DEPTH = 16;
/** Members of other names that are kept of a body: enough for an error to name some. Valid bodies have no more options. */
const MAX_OTHERS = 64;
/** Bytes of a name that is kept whole. An error shows fewer. */
const MAX_NAME_BYTES = 1024;
/** Strings of base64 of at least this many bytes stay bytes; an embedding of 512 numbers has 2,732. */
const MIN_LONG_TEXT = 1024;

/**
 * Parses a JSON body of any caller, in time and memory that are small multiples of its bytes whatever it holds: all of it is checked to
 * be JSON, and only what the shape has is created. Of members of the same name, the last one counts, as in JSON.parse.
 *
 * @throws {ServiceError} INVALID_REQUEST for what is not JSON in UTF-8, or too deep; not for control characters in a LongText, which
 *   is read later. The text itself is never quoted.
 */
export function parseJson(bytes: Uint8Array, shape: Shape, limits: ParseLimits): unknown {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!isUtf8(body)) throw notJson();
  return new JsonParser(body, limits).parse(shape);
}

/** How many items lists had in the body of which only the first were kept. */
const itemCounts = new WeakMap<readonly unknown[], number>();

/** The items that a parsed list had in the body. */
export function countItems(list: readonly unknown[]): number {
  return itemCounts.get(list) ?? list.length;
}

/** As TextDecoder skips it. */
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

class JsonParser {
  readonly #scanner: JsonScanner;
  readonly #bytes: Buffer;
  readonly #limits: ParseLimits;
  /** Latin-1 is faster to read. */
  readonly #encoding: 'latin1' | 'utf8';
  #others = 0;
  /** Lists that the parser is in, and the items kept of lists inside others. */
  #lists = 0;
  #innerItems = 0;

  constructor(bytes: Buffer, limits: ParseLimits) {
    const hasMark = bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK);
    this.#scanner = new JsonScanner(bytes, hasMark ? BYTE_ORDER_MARK.length : 0);
    this.#bytes = bytes;
    this.#limits = limits;
    this.#encoding = isAscii(bytes) ? 'latin1' : 'utf8';
  }

  parse(shape: Shape): unknown {
    this.#scanner.skipSpace();
    const value = this.#value(shape, 0);
    if (this.#scanner.skipSpace() !== undefined) throw notJson();
    return value;
  }

  /** @param shape undefined for a value that is checked and not kept. */
  #value(shape: Shape | undefined, depth: number): unknown {
    const scanner = this.#scanner;
    const start = scanner.at;
    const byte = this.#bytes[start];
    if (byte === QUOTE) return this.#string(shape);
    if (byte === OPEN_OBJECT) return this.#object(shape, depth + 1);
    if (byte === OPEN_LIST) return this.#list(shape, depth + 1);
    if (isNumberStart(byte)) {
      scanner.skipNumber();
      return shape && Number(this.#bytes.toString('latin1', start, scanner.at));
    }
    const literal = scanner.readLiteral();
    if (literal === undefined) throw notJson();
    return literal;
  }

  #string(shape: Shape | undefined): unknown {
    const scanner = this.#scanner;
    const start = scanner.at;
    if (shape?.base64 && scanner.skipLongString(MIN_LONG_TEXT)) {
      return new LongText(this.#bytes, start + 1, scanner.at - 1);
    }
    const escaped = scanner.skipString();
    return shape && this.#text(start, scanner.at, escaped);
  }

  /** @param start of its first quotation mark. */
  #text(start: number, end: number, escaped: boolean): string {
    if (escaped) return JSON.parse(this.#bytes.toString(this.#encoding, start, end));
    return this.#bytes.toString(this.#encoding, start + 1, end - 1);
  }

  #object(shape: Shape | undefined, depth: number): object | undefined {
    const scanner = this.#scanner;
    const object: Record<string, unknown> | undefined = shape && {};
    for (let more = this.#open(CLOSE_OBJECT, depth); more; more = this.#continue(CLOSE_OBJECT)) {
      if (this.#bytes[scanner.at] !== QUOTE) throw notJson();
      const member = this.#name(shape);
      if (scanner.skipSpace() !== COLON) throw notJson();
      scanner.at++;
      scanner.skipSpace();
      const value = this.#value(member?.shape, depth);
      if (object && member) define(object, member.name, member.shape ? value : null);
    }
    return object;
  }

  /** @returns the member that it names; undefined if that is not kept. */
  #name(shape: Shape | undefined): NamedShape | undefined {
    const scanner = this.#scanner;
    const start = scanner.at;
    const escaped = scanner.skipString();
    if (shape?.members === undefined && shape?.others === undefined) return undefined;
    const end = scanner.at;
    const isLong = end - start > MAX_NAME_BYTES;
    const known = isLong ? undefined : this.#findMember(shape.members, start, end, escaped);
    if (known) return known;
    if (this.#others === MAX_OTHERS) return undefined;
    this.#others++;
    const name = isLong
      ? this.#bytes.toString('utf8', start + 1, start + MAX_NAME_BYTES)
      : this.#text(start, end, escaped);
    return { name, shape: shape.others };
  }

  #findMember(
    members: readonly Member[] = [],
    start: number,
    end: number,
    escaped: boolean,
  ): Member | undefined {
    if (escaped) {
      const name = this.#text(start, end, escaped);
      return members.find((member) => member.name === name);
    }
    for (const member of members) {
      if (isAt(this.#bytes, start + 1, end - 1, member.bytes)) return member;
    }
    return undefined;
  }

  #list(shape: Shape | undefined, depth: number): readonly unknown[] | NumberText | undefined {
    if (shape?.numbers) return this.#numbers(depth);
    const items = shape?.items;
    const list: unknown[] | undefined = shape && [];
    const isInner = this.#lists++ > 0 && items !== undefined;
    let count = 0;
    for (let more = this.#open(CLOSE_LIST, depth); more; more = this.#continue(CLOSE_LIST)) {
      const before = isInner ? this.#innerItems++ : count;
      count++;
      const kept = before < this.#limits.items ? items : undefined;
      const value = this.#value(kept, depth);
      if (kept) list?.push(value);
    }
    this.#lists--;
    if (list && items && count > list.length) itemCounts.set(list, count);
    return list;
  }

  #numbers(depth: number): readonly unknown[] | NumberText {
    const scanner = this.#scanner;
    const start = scanner.at + 1;
    let count = 0;
    let hasOthers = false;
    for (let more = this.#open(CLOSE_LIST, depth); more; more = this.#continue(CLOSE_LIST)) {
      count++;
      if (isNumberStart(this.#bytes[scanner.at])) scanner.skipNumber();
      else {
        hasOthers = true;
        this.#value(undefined, depth);
      }
    }
    return hasOthers ? [null] : new NumberText(this.#bytes, start, count);
  }

  /** Moves into an object or a list. @returns whether there is anything in it. */
  #open(close: number, depth: number): boolean {
    if (depth > MAX_DEPTH) {
      const detail = `The body has more than ${MAX_DEPTH} objects and lists inside each other.`;
      throw new ServiceError('INVALID_REQUEST', { detail });
    }
    const scanner = this.#scanner;
    scanner.at++;
    if (scanner.skipSpace() !== close) return true;
    scanner.at++;
    return false;
  }

  /** Moves from one item to the next, or out of the object or list. @returns whether there is another one. */
  #continue(close: number): boolean {
    const scanner = this.#scanner;
    const byte = scanner.skipSpace();
    if (byte !== COMMA && byte !== close) throw notJson();
    scanner.at++;
    if (byte === close) return false;
    scanner.skipSpace();
    return true;
  }
}

interface NamedShape {
  name: string;
  shape?: Shape | undefined;
}

function isAt(bytes: Buffer, start: number, end: number, expected: Buffer): boolean {
  if (end - start !== expected.length) return false;
  for (let i = 0; i < expected.length; i++) if (bytes[start + i] !== expected[i]) return false;
  return true;
}

/** As JSON.parse does it: assigning to `__proto__` would set the prototype. */
function define(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') {
    Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
  } else {
    object[name] = value;
  }
}
