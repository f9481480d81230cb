import { describe, expect, it } from 'vitest';
import { decodeBase64 } from '../../src/base64.ts';
import { LongText, parseJsonWithLongTexts } from '../../src/json/parse.ts';

const LONG = 'QUJD'.repeat(300);
const MEMBERS = new Set(['a', 'b', 'c', 'e', 'text', 'list', 'last', 'among', 'deep']);
const parse = (text: string) => parseJsonWithLongTexts(new TextEncoder().encode(text), MEMBERS);
/** The value with every LongText as a string. */
const inFull = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, member) => (member instanceof LongText ? member.toString() : member)));

describe('parseJsonWithLongTexts', () => {
  it.each([
    ['short strings only', { a: 'b', list: [1, 'x', null, true, { c: [] }] }],
    ['a long string', { a: LONG }],
    ['only a long string', LONG],
    [
      'many long strings',
      { list: Array.from({ length: 50 }, (_, i) => ({ id: `${i}`, text: LONG + i })), last: LONG },
    ],
    [
      'escapes around and in long strings',
      { a: 'x\\"y', b: LONG, c: `\\${LONG}"`, d: `${LONG}\n`, e: LONG, f: '\\' },
    ],
    ['characters of several bytes', { å: 'ő', b: `${LONG}ő`, c: LONG, '👩': '👩' }],
    ['long names', { [LONG]: LONG, [`${LONG}2`]: 1 }],
  ])('returns what JSON.parse returns: %s', (_name, value) => {
    for (const text of [JSON.stringify(value), JSON.stringify(value, undefined, 3)]) {
      expect(inFull(parse(text))).toEqual(value);
    }
  });

  it('returns a string for a long string of any other member', () => {
    const body = { id: LONG, a: LONG, list: [{ id: LONG, a: LONG }] };
    const parsed = parse(JSON.stringify(body)) as typeof body;
    expect([parsed.id, parsed.list[0]?.id]).toEqual([LONG, LONG]);
    expect([parsed.a, parsed.list[0]?.a]).toEqual([expect.any(LongText), expect.any(LongText)]);
  });

  it('leaves placeholders where no valid body has a string', () => {
    const body = { among: [1, LONG], deep: [[[[LONG]]]] };
    const text = JSON.stringify(parse(JSON.stringify(body)));
    expect(text.length).toBeLessThan(200);
  });

  it('keeps a long string of a named member as bytes', () => {
    const { a } = parse(`{"a": "${LONG}"}`) as { a: LongText };
    expect(a).toBeInstanceOf(LongText);
    expect(a.length).toBe(LONG.length);
    expect(a.slice()).toBe(LONG);
    expect(a.slice(4, 9)).toBe('QUJDQ');
    expect(a.slice(LONG.length - 2)).toBe('JD');
    expect(a.slice(LONG.length - 2, LONG.length + 50)).toBe('JD');
  });

  it('returns a LongText that decodes as base64', () => {
    const decode = (text: string, from?: number) => {
      const { a } = parse(`{"a": "${text}"}`) as { a: LongText };
      expect(a).toBeInstanceOf(LongText);
      return decodeBase64(a, from);
    };
    const bytes = Buffer.from(LONG, 'base64');
    expect(decode(LONG)).toEqual(bytes);
    expect(decode(`data:é,${LONG}`, Buffer.byteLength('data:é,'))).toEqual(bytes);
    expect(decode(`${LONG}éé`)).toBeUndefined();
    expect(() => decode(`${LONG}\n${LONG}`)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }));
  });

  it('returns strings when long strings are the smaller part of the body', () => {
    const body = { text: LONG, numbers: Array.from({ length: 1000 }, (_, i) => i) };
    expect(parse(JSON.stringify(body))).toEqual(body);
  });

  it.each([
    ['a body that ends in a long string', `{"a": "${LONG}`],
    ['a body that ends after a long string', `{"a": "${LONG}"`],
    ['a body that ends in an escape', `{"a": "${LONG}\\`],
    ['a trailing comma', `{"a": "${LONG}",}`],
    ['a string after the end', `{"a": "${LONG}"} "${LONG}"`],
    ['an empty body', ''],
  ])('refuses %s', (_name, text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }));
  });

  it('refuses bytes that are not UTF-8, inside a long string too', () => {
    const bytes = new TextEncoder().encode(`{"a": "${LONG}"}`);
    bytes[500] = 0xff;
    expect(() => parseJsonWithLongTexts(bytes, MEMBERS)).toThrow(
      expect.objectContaining({ code: 'INVALID_REQUEST' }),
    );
  });

  it('refuses a line break in a LongText when it is read', () => {
    const { a } = parse(`{"a": "${LONG}\n${LONG}"}`) as { a: LongText };
    expect(() => a.toString()).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }));
  });

  it('does not let a body set its prototype', () => {
    const body = parse(`{"__proto__": "${LONG}", "a": "${LONG}"}`) as object;
    expect(Object.getPrototypeOf(body)).toBe(Object.prototype);
  });
});
