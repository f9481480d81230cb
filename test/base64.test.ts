import { describe, expect, it } from 'vitest';
import { decodeBase64 } from '../src/base64.ts';
import { seededRandom } from './support/numbers.ts';

describe('base64', () => {
  it('reads both alphabets, padded or not, for every length', () => {
    const random = seededRandom(5);
    for (let length = 0; length < 200; length++) {
      const bytes = Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
      const standard = bytes.toString('base64');
      for (const text of [standard, standard.replace(/=+$/, ''), bytes.toString('base64url')]) {
        expect(decodeBase64(text)).toEqual(bytes);
      }
    }
  });

  it('reads what is longer than it looks at at a time', () => {
    const random = seededRandom(7);
    for (const length of [24_575, 24_576, 24_577, 24_578, 49_152, 100_000]) {
      const bytes = Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
      const text = bytes.toString('base64');
      expect(decodeBase64(text)).toEqual(bytes);
      expect(decodeBase64(`data:,${text}`, 6)).toEqual(bytes);
      expect(decodeBase64(text.replace(/.{76}/g, '$&\r\n'))).toEqual(bytes);
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

  it('allows line breaks', () => {
    expect(decodeBase64('SGVs\r\nbG8g\n d29ybGQ=\n')).toEqual(Buffer.from('Hello world'));
  });

  it('gives bytes that can be moved to another thread', () => {
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
