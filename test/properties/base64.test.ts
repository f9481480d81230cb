import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64, decodeBase64Into } from '../../src/base64.ts';
import { check, SEED } from './check.ts';

/** Characters of a text are decoded in pieces; a text of this many bytes has several. */
const LONG = 60_000;

const bytes = fc.oneof(
  { weight: 4, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  { weight: 1, arbitrary: fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.nat({ max: LONG })).map(repeated) },
);

function repeated([pattern, length]: [Uint8Array, number]): Uint8Array {
  return Uint8Array.from(
    { length },
    (_, index) => (pattern[index % (pattern.length || 1)] ?? 0) ^ (index >> 8),
  );
}

/** One way in which a caller may write bytes as base64. */
interface Writing {
  url: boolean;
  padded: boolean;
  /** White space, and how many characters stand between it and the one before. */
  gaps: [distance: number, space: string][];
}

const writing: fc.Arbitrary<Writing> = fc.record({
  url: fc.boolean(),
  padded: fc.boolean(),
  gaps: fc.array(fc.tuple(fc.integer({ min: 1, max: 100 }), fc.constantFrom(' ', '\n', '\r\n', '\t', '\f')), {
    maxLength: 5,
  }),
});

function write(source: Uint8Array, { url, padded, gaps }: Writing): string {
  let text = Buffer.from(source).toString(url ? 'base64url' : 'base64');
  if (url && padded) text = text.padEnd(Math.ceil(text.length / 4) * 4, '=');
  if (!padded) text = text.replace(/=+$/, '');
  let at = 0;
  for (const [distance, space] of gaps) {
    at = Math.min(text.length, at + distance);
    text = text.slice(0, at) + space + text.slice(at);
  }
  return text;
}

/** Mostly base64, with what makes it invalid among it: padding, white space, other characters, also of several bytes. */
const almostBase64 = fc.oneof(
  fc.string({
    unit: fc.constantFrom(...'ABCDabcd0189+/-_', '=', '==', ' ', '\n', '*', 'ő', '\0', '.'),
    maxLength: 40,
  }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc
    .tuple(bytes, writing, fc.nat(), fc.constantFrom('=', '*', 'ő', '\0', ' ', 'A', ''))
    .map(([source, how, place, inserted]) => {
      const text = write(source, how);
      const at = place % (text.length + 1);
      return text.slice(0, at) + inserted + text.slice(at + 1);
    }),
);

/** RFC 4648, with both alphabets, and padding that is complete or absent. White space is ignored. */
function isBase64(text: string): boolean {
  const compact = text.replace(/[\t\n\f\r ]+/g, '');
  const parts = /^([A-Za-z0-9+/_-]*)(={0,2})$/.exec(compact);
  if (parts === null) return false;
  const [, digits = '', padding = ''] = parts;
  return digits.length % 4 !== 1 && (padding === '' || compact.length % 4 === 0);
}

describe(`base64 (seed ${SEED})`, () => {
  it('reads any bytes back, however they are written', () => {
    check(
      fc.property(bytes, writing, fc.string({ maxLength: 30 }), (source, how, head) => {
        const decoded = decodeBase64(head + write(source, how), head.length);
        expect(decoded && Buffer.compare(decoded, source)).toBe(0);
      }),
    );
  });

  it('accepts a text exactly when it is base64, and reads what Node reads', () => {
    check(
      fc.property(almostBase64, (text) => {
        const decoded = decodeBase64(text);
        expect(decoded !== undefined).toBe(isBase64(text));
        if (decoded) expect(Buffer.compare(decoded, Buffer.from(text, 'base64'))).toBe(0);
      }),
    );
  });

  it('fills existing memory exactly when the text is base64 of that length', () => {
    check(
      fc.property(almostBase64, fc.nat({ max: 40 }), fc.boolean(), (text, other, fitting) => {
        const expected = Buffer.from(text, 'base64');
        const target = Buffer.alloc(fitting ? expected.length : other);
        const valid = isBase64(text) && !/\s/.test(text) && expected.length === target.length;
        expect(decodeBase64Into(target, text)).toBe(valid);
        if (valid) expect(target.equals(expected)).toBe(true);
      }),
    );
  });
});
