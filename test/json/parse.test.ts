import { describe, expect, it } from 'vitest';
import { decodeBase64 } from '../../src/base64.ts';
import { LongText, parseJsonWithLongTexts } from '../../src/json/parse.ts';

const LONG = 'QUJD'.repeat(300);
const MEMBERS = new Set(['a', 'b', 'c', 'e', 'text', 'list', 'last', 'among', 'deep']);
const parse = (text: string) => parseJsonWithLongTexts(new TextEncoder().encode(text), MEMBERS);
/** The same with every LongText as a string. */
const inFull = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, member) => (member instanceof LongText ? member.toString() : member)));

describe('parsing JSON with long strings', () => {
  it.each([
    ['short strings only', { a: 'b', list: [1, 'x', null, true, { c: [] }] }],
    ['a long string', { a: LONG }],
    ['nothing but a long string', LONG],
    ['many', { list: Array.from({ length: 50 }, (_, i) => ({ id: `${i}`, text: LONG + i })), last: LONG }],
    ['escapes around and in it', { a: 'x\\"y', b: LONG, c: `\\${LONG}"`, d: `${LONG}\n`, e: LONG, f: '\\' }],
    ['characters of several bytes', { å: 'ő', b: `${LONG}ő`, c: LONG, '👩': '👩' }],
    ['long names', { [LONG]: LONG, [`${LONG}2`]: 1 }],
  ])('gives what JSON.parse gives: %s', (_name, value) => {
    for (const text of [JSON.stringify(value), JSON.stringify(value, undefined, 3)]) {
      expect(inFull(parse(text))).toEqual(value);
    }
  });

  it('gives a string for a long string of any other member', () => {
    const body = { id: LONG, a: LONG, list: [{ id: LONG, a: LONG }] };
    const parsed = parse(JSON.stringify(body)) as typeof body;
    expect([parsed.id, parsed.list[0]?.id]).toEqual([LONG, LONG]);
    expect([parsed.a, parsed.list[0]?.a]).toEqual([expect.any(LongText), expect.any(LongText)]);
  });

  it('keeps short placeholders where no valid body has a string', () => {
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

  it('can be decoded as base64', () => {
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

  it('gives a string when long strings are the smaller part of the body', () => {
    const body = { text: LONG, numbers: Array.from({ length: 1000 }, (_, i) => i) };
    expect(parse(JSON.stringify(body))).toEqual(body);
  });

  it.each([
    ['an end in a long text', `{"a": "${LONG}`],
    ['an end after one', `{"a": "${LONG}"`],
    ['an end in an escape', `{"a": "${LONG}\\`],
    ['a comma too many', `{"a": "${LONG}",}`],
    ['text after the end', `{"a": "${LONG}"} "${LONG}"`],
    ['nothing', ''],
  ])('refuses %s', (_name, text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }));
  });

  it('refuses what is not UTF-8, wherever it stands', () => {
    const bytes = new TextEncoder().encode(`{"a": "${LONG}"}`);
    bytes[500] = 0xff;
    expect(() => parseJsonWithLongTexts(bytes, MEMBERS)).toThrow(
      expect.objectContaining({ code: 'INVALID_REQUEST' }),
    );
  });

  it('refuses a line break within a text when the text is read', () => {
    const { a } = parse(`{"a": "${LONG}\n${LONG}"}`) as { a: LongText };
    expect(() => a.toString()).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }));
  });

  it('keeps a body from naming the prototype', () => {
    const body = parse(`{"__proto__": "${LONG}", "a": "${LONG}"}`) as object;
    expect(Object.getPrototypeOf(body)).toBe(Object.prototype);
  });
});
