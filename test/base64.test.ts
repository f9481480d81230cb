import { describe, expect, it } from 'vitest';
import { decodeBase64 } from '../src/base64.ts';
import { seededRandom } from './support/numbers.ts';

/** Far faster than toEqual for large arrays. */
const expectBytes = (actual: Uint8Array | undefined, expected: Buffer) =>
  expect(actual && Buffer.compare(actual, expected)).toBe(0);

describe('decodeBase64', () => {
  it('decodes both alphabets, padded or not, at every length', () => {
    const random = seededRandom(5);
    for (let length = 0; length < 200; length++) {
      const bytes = Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
      const standard = bytes.toString('base64');
      for (const text of [standard, standard.replace(/=+$/, ''), bytes.toString('base64url')]) {
        expectBytes(decodeBase64(text), bytes);
      }
    }
  });

  it('decodes texts of several pieces, and refuses an invalid character in any of them', () => {
    const random = seededRandom(7);
    for (const length of [24_575, 24_576, 24_577, 24_578, 49_152, 100_000]) {
      const bytes = Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
      const text = bytes.toString('base64');
      expectBytes(decodeBase64(text), bytes);
      expectBytes(decodeBase64(`data:,${text}`, 6), bytes);
      expectBytes(decodeBase64(text.replace(/.{76}/g, '$&\r\n')), bytes);
      if (length < 2 * 24_576) continue;
      for (const [at, wrong] of [
        [32_764, '='],
        [32_767, '='],
        [20_000, '*'],
        [20_000, 'ő'],
        [text.length - 5, '='],
      ] as const) {
        expect(decodeBase64(text.slice(0, at) + wrong + text.slice(at + 1))).toBeUndefined();
      }
    }
  });

  it('ignores white space', () => {
    expect(decodeBase64('SGVs\r\nbG8g\n d29ybGQ=\n')).toEqual(Buffer.from('Hello world'));
  });

  it('returns bytes that can be transferred to another thread', () => {
    const bytes = decodeBase64('SGVsbG8=') as Uint8Array<ArrayBuffer>;
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    expect(bytes).toHaveLength(0);
  });

  it.each([
    'A',
    'AAAAA',
    'AA=A',
    'AAAA=',
    'AAA==',
    '====',
    'SGV*bG8=',
    'SGVsbG8=SGVs',
    'SGVsbG8==',
    'őőőő',
    '{"a":1}',
  ])('refuses %s', (text) => {
    expect(decodeBase64(text)).toBeUndefined();
  });
});
