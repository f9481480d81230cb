import { describe, expect, it } from 'vitest';
import { decodeBase64 } from '../../../src/base64.ts';
import { LongText } from '../../../src/json/parse/long-text.ts';
import { NumberText } from '../../../src/json/parse/number-text.ts';
import { countItems, membersOf, parseJson, SCALAR, type Shape } from '../../../src/json/parse/parse.ts';

const LONG = 'QUJD'.repeat(300);
const BASE64: Shape = { base64: true };
const ITEM: Shape = { members: membersOf({ id: SCALAR, text: BASE64, numbers: { numbers: true } }) };
const BODY: Shape = {
  members: membersOf({
    a: BASE64,
    id: SCALAR,
    list: { items: ITEM },
    texts: { items: BASE64 },
    numbers: { numbers: true },
  }),
};

const parse = (text: string, shape = BODY, items = 100) =>
  parseJson(new TextEncoder().encode(text), shape, { items });
const refused = (text: string, shape?: Shape) =>
  expect(() => parse(text, shape)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }));

describe('parsing what a shape has', () => {
  it('reads scalars of every type, and what is in the lists and objects of the shape', () => {
    const list = [{ id: 'x', text: 'AAAA' }, { id: true }, { id: null }, { id: -1.5e3 }, {}, 5];
    expect(parse(JSON.stringify({ id: 'ő"\n', list, a: LONG.slice(0, 8) }, undefined, 3))).toEqual({
      id: 'ő"\n',
      list,
      a: LONG.slice(0, 8),
    });
  });

  it.each([
    ['"text"', 'text'],
    [' [1, {"a": 1}] ', []],
    ['12', 12],
    ['null', null],
    ['{}', {}],
  ])('reads %s as a body that is refused for its type', (text, value) => {
    expect(parse(text)).toEqual(value);
  });

  it('empties an object or a list where the shape has neither', () => {
    const text = '{"id": {"deep": [1, {"x": 2}]}, "a": [[1]], "list": {"id": 1}, "numbers": {"id": 1}}';
    expect(parse(text)).toEqual({ id: {}, a: [], list: {}, numbers: {} });
  });

  it('keeps the names of other members, not what they hold', () => {
    expect(parse('{"junk": [{}, [1, {"a": 2}]], "\\u006aunk2": "x", "id": 1}')).toEqual({
      junk: null,
      junk2: null,
      id: 1,
    });
  });

  it('keeps some of a great many other names', () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `"n${index}": ${index}`);
    const body = parse(`{${names.join(',')}, "id": 1}`) as object;
    expect(Object.keys(body).length).toBeLessThan(100);
    expect(body).toMatchObject({ n0: null, id: 1 });
    const items = Array.from({ length: 100 }, () => '{"junk": 1, "id": 2}');
    const { list } = parse(`{"list": [${items.join(',')}]}`) as { list: object[] };
    expect(list.filter((item) => 'junk' in item).length).toBeLessThan(100);
    expect(list.every((item) => 'id' in item)).toBe(true);
  });

  it('shortens a name that is longer than an error shows', () => {
    const [name = ''] = Object.keys(parse(`{"${LONG}${LONG}": 1}`) as object);
    expect(`${LONG}${LONG}`.startsWith(name)).toBe(true);
    expect(name.length).toBeGreaterThan(500);
    expect(name.length).toBeLessThan(1100);
  });

  it('knows the names of members however they are written, and takes the last of the same name', () => {
    expect(parse('{"id": 1, "\\u0069d": 2, "i\\u0064": {"x": 3}, "id": "last"}')).toEqual({ id: 'last' });
  });

  it('does not let a body set its prototype', () => {
    const body = parse('{"__proto__": {"id": 1}, "id": 2}') as object;
    expect(Object.getPrototypeOf(body)).toBe(Object.prototype);
    expect(Object.keys(body)).toEqual(['__proto__', 'id']);
  });

  it('counts the items of a list and keeps no more than it may', () => {
    const { list, texts } = parse(
      '{"list": [{"id": 1}, {"id": 2}, {"id": 3}, 4], "texts": ["", ""]}',
      BODY,
      2,
    ) as {
      list: unknown[];
      texts: unknown[];
    };
    expect(list).toEqual([{ id: 1 }, { id: 2 }]);
    expect([countItems(list), countItems(texts)]).toEqual([4, 2]);
  });

  it('accepts a byte order mark, as TextDecoder does', () => {
    expect(parse('\ufeff{"id": 1}')).toEqual({ id: 1 });
    refused('\ufeff\ufeff{"id": 1}');
  });

  it('keeps as many items of all lists inside lists as of one list, and counts the others', () => {
    const shape = { items: { members: membersOf({ inner: { items: SCALAR } }) } };
    const text = JSON.stringify([{ inner: [1, 2] }, { inner: [3, 4, 5] }, { inner: [6] }]);
    const list = parseJson(Buffer.from(text), shape, { items: 3 }) as { inner: number[] }[];
    expect(list.map(({ inner }) => inner)).toEqual([[1, 2], [3], []]);
    expect(list.map(({ inner }) => countItems(inner))).toEqual([2, 3, 1]);
  });
});

describe('what is not JSON', () => {
  it.each([
    '',
    ' ',
    '{',
    '[',
    '{"id": 1',
    '{"id": 1,}',
    '{"id" 1}',
    '{"id": }',
    '{id: 1}',
    "{'id': 1}",
    '{"junk": [1,]}',
    '{"junk": [1 2]}',
    '{"junk": [}',
    '{"junk": {"x": [1}]}',
    '{"junk": 01}',
    '{"junk": 1.}',
    '{"junk": .5}',
    '{"junk": -}',
    '{"junk": +1}',
    '{"junk": 1e}',
    '{"junk": NaN}',
    '{"junk": tru}',
    '{"junk": nulls}',
    '{"junk": "\\x"}',
    '{"junk": "\\u12g4"}',
    '{"junk": "\n"}',
    '{"id": "\t"}',
    '{"id": 1} 2',
    '{"numbers": [1, 02]}',
    '{"numbers": [1, 2,]}',
    '{"numbers": [1, 2',
    '{"list": [{"id": 1}, {"id": 2]}',
    `{"a": "${LONG}`,
    `{"a": "${LONG}"`,
    `{"a": "${LONG}\\`,
    `{"a": "${LONG}",}`,
    `{"a": "${LONG}"} "${LONG}"`,
  ])('is refused: %s', (text) => refused(text));

  it('is refused beyond the items that are kept, and in members that are not', () => {
    expect(() => parse('{"list": [{"id": 1}, {"id": 01}]}', BODY, 1)).toThrow(
      expect.objectContaining({ code: 'INVALID_REQUEST' }),
    );
    refused(`{"junk": "${LONG}\n"}`);
  });

  it('is refused when it is not UTF-8, inside a long string too', () => {
    const bytes = new TextEncoder().encode(`{"a": "${LONG}"}`);
    bytes[500] = 0xff;
    expect(() => parseJson(bytes, BODY, { items: 1 })).toThrow(
      expect.objectContaining({ code: 'INVALID_REQUEST' }),
    );
  });

  it('is refused when it is too deep, however long it is, and where it is not kept', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(parse(`{"junk": ${nested(15)}}`)).toEqual({ junk: null });
    for (const text of [nested(100_000), `{"junk": ${nested(16)}}`, '{"a":'.repeat(1_000_000)]) {
      expect(() => parse(text)).toThrow(
        expect.objectContaining({ code: 'INVALID_REQUEST', detail: expect.stringContaining('16') }),
      );
    }
  });
});

describe('long base64', () => {
  it('stays bytes where the shape has base64', () => {
    const body = { id: LONG, a: LONG, list: [{ id: LONG, text: LONG }], texts: [LONG, 'AAAA'] };
    const parsed = parse(JSON.stringify(body)) as typeof body;
    expect([parsed.id, parsed.list[0]?.id, parsed.texts[1]]).toEqual([LONG, LONG, 'AAAA']);
    for (const text of [parsed.a, parsed.list[0]?.text, parsed.texts[0]] as unknown[]) {
      expect(text).toBeInstanceOf(LongText);
      expect(String(text)).toBe(LONG);
    }
  });

  it('gives slices of itself', () => {
    const { a } = parse(`{"a": "${LONG}"}`) as { a: LongText };
    expect(a.length).toBe(LONG.length);
    expect(a.slice()).toBe(LONG);
    expect(a.slice(4, 9)).toBe('QUJDQ');
    expect(a.slice(LONG.length - 2)).toBe('JD');
    expect(a.slice(LONG.length - 2, LONG.length + 50)).toBe('JD');
  });

  it('is decoded from there', () => {
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

  it('is a string when it has escapes, whatever is before and after it', () => {
    const escaped = LONG.replaceAll('QUJDQUJD', 'QUJD\\/');
    const { texts } = parse(
      `{"id": "\\"", "texts": ["${LONG}", "${escaped}", "${LONG}\\\\", "${LONG}"]}`,
    ) as {
      texts: unknown[];
    };
    expect(texts.map((text) => typeof text)).toEqual(['object', 'string', 'string', 'object']);
    expect(texts.map(String)).toEqual([LONG, JSON.parse(`"${escaped}"`), `${LONG}\\`, LONG]);
  });
});

describe('a list of numbers', () => {
  const numbersOf = (text: string) => {
    const { numbers } = parse(`{"numbers": ${text}}`) as { numbers: NumberText };
    expect(numbers).toBeInstanceOf(NumberText);
    const values = new Float64Array(numbers.length);
    numbers.writeTo(values);
    return [...values];
  };

  it.each([
    '[]',
    '[ ]',
    '[0]',
    '[-0, 0.0, -0e5, 0E-5]',
    '[ 1 ,\n2\t,\r3 ]',
    '[0.1, -0.25, 123456789.123456789]',
    '[1e400, -1E+400, 1e-400, 5e-324, 1.7976931348623157e308]',
    '[9007199254740991, 9007199254740992, 9007199254740993, 9007199254740995, 18446744073709551616]',
    '[0.045678913593292236, -0.30000001192092896, 0.1000000000000000055511151231257827]',
    '[2.00000000000000033306690738754696, 0.00000000000000000000000123, 1.0000000000000000000000000]',
  ])('has the numbers that JSON.parse gives: %s', (text) => {
    expect(numbersOf(text)).toEqual(JSON.parse(text));
  });

  it.each(['[1, "2"]', '[null]', '[1, [2], 3]', '[{}, 1]', '[true]'])(
    'is one of something else: %s',
    (text) => {
      expect(parse(`{"numbers": ${text}}`)).toEqual({ numbers: [null] });
    },
  );
});
