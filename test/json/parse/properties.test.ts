import { deepStrictEqual } from 'node:assert';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NumberText } from '../../../src/json/parse/number-text.ts';
import { membersOf, parseJson, SCALAR, type Shape } from '../../../src/json/parse/parse.ts';
import { check, SEED } from '../../properties/check.ts';

const NAMES = [
  'a',
  'b',
  'id',
  'é',
  '\0',
  '"',
  '/',
  '__proto__',
  'constructor',
  '👩',
  '',
  'a\nb',
  'x'.repeat(90),
];

/** Has everything. */
function anything(base64: boolean): Shape {
  const shape: Shape = { base64 };
  shape.members = membersOf(Object.fromEntries(NAMES.map((name) => [name, shape])));
  // Damage makes other names.
  shape.others = shape;
  shape.items = shape;
  return shape;
}

/** Ways to write the same: white space, and which characters of strings are escaped. */
const style = fc.record({
  spaces: fc.array(fc.constantFrom('', '', '', ' ', '\n', '\t', '\r', ' \n '), {
    minLength: 1,
    maxLength: 7,
  }),
  escaped: fc.constantFrom('none', 'some', 'all'),
});

const long = fc
  .tuple(fc.string({ unit: 'binary', maxLength: 3 }), fc.integer({ min: 1, max: 700 }))
  .map(([text, count]) => `${'QUJD'.repeat(count)}${text}`);

const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.float({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.maxSafeInteger().map(String),
  fc
    .tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.nat({ max: 25 }))
    .map(([digits, scale]) => withPoint(digits, scale)),
  fc
    .tuple(fc.integer(), fc.constantFrom('e', 'E', 'e+', 'E-'), fc.nat({ max: 400 }))
    .map((parts) => parts.join('')),
  fc.constantFrom(
    '-0',
    '-0.0',
    '0e0',
    '1e400',
    '-1e400',
    '1e-400',
    '9007199254740993',
    '0.1',
    '1.0000000000000002',
  ),
);

function withPoint(digits: bigint, scale: number): string {
  const text = String(digits < 0 ? -digits : digits).padStart(scale + 1, '0');
  const whole = text.slice(0, text.length - scale);
  return `${digits < 0 ? '-' : ''}${whole}${scale > 0 ? `.${text.slice(text.length - scale)}` : ''}`;
}

/** JSON texts as trees of their parts, between which there may be white space. */
type Parts = string | Parts[];

const { tree } = fc.letrec<{ tree: Parts }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', maxDepth: 6, withCrossShrink: true },
    fc.constantFrom('null', 'true', 'false'),
    number,
    fc.oneof(fc.string({ unit: 'binary' }), long).map((text) => JSON.stringify(text)),
    fc.array(tie('tree'), { maxLength: 6 }).map((items) => ['[', ...separate(items), ']']),
    fc
      .array(fc.tuple(fc.constantFrom(...NAMES), tie('tree')), { maxLength: 6 })
      .map((members) => [
        '{',
        ...separate(members.map(([name, value]) => [JSON.stringify(name), ':', value])),
        '}',
      ]),
  ),
}));

function separate(items: Parts[]): Parts[] {
  return items.flatMap((item, index) => (index === 0 ? [item] : [',', item]));
}

/**
 * Whether JSON.parse can be asked. After a name with a backslash, V8 12.8 and later can take another name that is written with an
 * escape for that one (nodejs/node#63785).
 */
const hasNoBackslash = (json: string) => !/\\(\\|u005c)/i.test(json);

const text = fc
  .tuple(tree, style)
  .map(([parts, { spaces, escaped }]) => {
    const written = [parts].flat(20 as 1) as string[];
    return written
      .map((part, index) => {
        const shown = part.startsWith('"') ? escapeMore(part, escaped) : part;
        return `${spaces[index % spaces.length]}${shown}${spaces[(index + 1) % spaces.length]}`;
      })
      .join('');
  })
  .filter(hasNoBackslash);

/** Writes some of the characters of a string as escapes that JSON.stringify does not use. */
function escapeMore(string: string, escaped: string): string {
  const units = (JSON.parse(string) as string).split('');
  const written = units.map((unit) => {
    if (escaped === 'all' || (escaped === 'some' && /[a-mé/]/.test(unit))) {
      return unit === '/' ? '\\/' : `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
    }
    // Half of a pair would be written as an escape.
    return /[\ud800-\udfff]/.test(unit) ? unit : JSON.stringify(unit).slice(1, -1);
  });
  return `"${written.join('')}"`;
}

/** A text that is nearly JSON: with a few bytes taken out, put in or replaced. */
const damaged = fc
  .tuple(
    text,
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.nat({ max: 2 }),
        fc.constantFrom('', ...'{}[]",:\\0123-+.eEutfn \n\t\u0001\ufeff'),
      ),
    ),
  )
  .map(([whole, changes]) =>
    changes.reduce((changed, [place, removed, inserted]) => {
      const at = place % (changed.length + 1);
      return changed.slice(0, at) + inserted + changed.slice(at + removed);
    }, whole),
  )
  .filter(hasNoBackslash);

const REFUSED = Symbol('refused');

function outcomeOf(parse: () => unknown): unknown {
  try {
    return parse();
  } catch {
    return REFUSED;
  }
}

/** With a LongText as the string that it stands for. */
function inFull(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inFull);
  if (typeof value !== 'object' || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return String(value);
  const members = Object.entries(value).map(([name, member]) => [name, inFull(member)]);
  return Object.fromEntries(members);
}

const parse = (json: string, shape: Shape) =>
  parseJson(new TextEncoder().encode(json), shape, { items: 1000 });
/** As it arrives: lone surrogates are no UTF-8, and a byte order mark is skipped. */
const parseNatively = (json: string) => JSON.parse(new TextDecoder().decode(new TextEncoder().encode(json)));

describe(`JSON bodies (seed ${SEED})`, () => {
  it('are read as JSON.parse reads them', () => {
    check(
      fc.property(text, (json) => {
        deepStrictEqual(inFull(parse(json, anything(true))), parseNatively(json));
      }),
    );
  });

  it('may have names and strings with backslashes', () => {
    const json = String.raw`{"\\":"\\","\"":"\u005C","\u005c\\":"a\\n"}`;
    const expected = Object.fromEntries([
      ['\\', '\\'],
      ['"', '\\'],
      ['\\\\', 'a\\n'],
    ]);
    deepStrictEqual(inFull(parse(json, anything(true))), expected);
  });

  it('are refused exactly when JSON.parse refuses them, whether or not they are kept', () => {
    check(
      fc.property(damaged, (json) => {
        const expected = outcomeOf(() => parseNatively(json));
        // Control characters in a LongText are found when it is read.
        deepStrictEqual(
          outcomeOf(() => parse(json, anything(false))),
          expected,
        );
        const isRefused = outcomeOf(() => parse(json, SCALAR)) === REFUSED;
        expect(isRefused).toBe(expected === REFUSED);
      }),
    );
  });

  it('have the numbers that JSON.parse gives', () => {
    check(
      fc.property(fc.array(number), style, (numbers, { spaces }) => {
        const json = `[${numbers.map((item, index) => `${spaces[index % spaces.length]}${item} `).join(',')}]`;
        const list = parse(json, { numbers: true }) as NumberText;
        expect(list).toBeInstanceOf(NumberText);
        const values = new Float64Array(list.length);
        list.writeTo(values);
        expect([...values]).toStrictEqual(JSON.parse(json));
      }),
    );
  });
});
