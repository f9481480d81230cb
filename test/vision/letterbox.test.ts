import { describe, expect, it } from 'vitest';
import { letterbox } from '../../src/vision/letterbox.ts';
import { tabulateNormalisation } from '../../src/vision/normalisation.ts';
import { seededRandom } from '../support/numbers.ts';

/** Grey levels as they are, so that inputs can be read as pixels. */
const IDENTITY = tabulateNormalisation({ mean: 0, std: 1 });

function picture(width: number, height: number, level: (x: number, y: number, channel: number) => number) {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) {
    const pixel = Math.floor(i / 3);
    data[i] = level(pixel % width, Math.floor(pixel / width), i % 3);
  }
  return { data, width, height };
}

/** Bilinear interpolation as the textbook has it, in floating point, at pixel centres, edges repeated. */
function textbookPixel(
  source: { data: Uint8Array; width: number; height: number },
  [x, y]: [number, number],
  channel: number,
): number {
  const at = (px: number, py: number) => {
    const cx = Math.min(Math.max(px, 0), source.width - 1);
    const cy = Math.min(Math.max(py, 0), source.height - 1);
    return source.data[(cy * source.width + cx) * 3 + channel] as number;
  };
  const [x0, y0] = [Math.floor(x), Math.floor(y)];
  const [fx, fy] = [x - x0, y - y0];
  const top = at(x0, y0) * (1 - fx) + at(x0 + 1, y0) * fx;
  const bottom = at(x0, y0 + 1) * (1 - fx) + at(x0 + 1, y0 + 1) * fx;
  return top * (1 - fy) + bottom * fy;
}

describe('letterbox', () => {
  it.each([
    ['landscape, reduced', 1280, 886, 640, 640, 443],
    ['portrait, reduced', 300, 500, 64, 38, 64],
    ['square, enlarged', 250, 250, 640, 640, 640],
    ['one row', 50, 1, 32, 32, 1],
    ['one column', 1, 50, 32, 1, 32],
  ])(
    '%s: is the textbook picture to one grey level, black beyond it',
    (_name, width, height, size, fw, fh) => {
      const random = seededRandom(width);
      const source = picture(width, height, () => Math.floor(random() * 256));
      const input = new Float32Array(3 * size * size).fill(-1);
      letterbox(source, size, IDENTITY, input);
      for (let channel = 0; channel < 3; channel++) {
        for (let y = 0; y < size; y++) {
          for (let x = 0; x < size; x++) {
            const value = input[(channel * size + y) * size + x] as number;
            const position: [number, number] = [
              ((x + 0.5) * width) / fw - 0.5,
              ((y + 0.5) * height) / fh - 0.5,
            ];
            const expected = x < fw && y < fh ? textbookPixel(source, position, channel) : 0;
            if (Math.abs(value - expected) > 1)
              expect([x, y, channel, value]).toEqual([x, y, channel, expected]);
          }
        }
      }
    },
  );

  it('leaves a picture of the input size as it is', () => {
    const source = picture(32, 32, (x, y, channel) => (x * 7 + y * 3 + channel * 50) % 256);
    const input = new Float32Array(3 * 32 * 32);
    expect(letterbox(source, 32, IDENTITY, input)).toBe(1);
    expect(input[5 * 32 + 9]).toBe(source.data[(5 * 32 + 9) * 3]);
    expect(input[2 * 1024 + 5 * 32 + 9]).toBe(source.data[(5 * 32 + 9) * 3 + 2]);
  });

  it('returns the scale that brings detector coordinates back', () => {
    const source = picture(1280, 886, () => 0);
    expect(letterbox(source, 640, IDENTITY, new Float32Array(3 * 640 * 640))).toBe(443 / 886);
  });

  it('normalises, and pads with what black becomes', () => {
    const normalisation = tabulateNormalisation({ mean: 127.5, std: 128 });
    const input = new Float32Array(3 * 32 * 32);
    letterbox(
      picture(32, 16, () => 255),
      32,
      normalisation,
      input,
    );
    expect(input[0]).toBeCloseTo(127.5 / 128, 6);
    expect(input[31 * 32]).toBeCloseTo(-127.5 / 128, 6);
  });

  it('forgets the picture before', () => {
    const input = new Float32Array(3 * 32 * 32);
    letterbox(
      picture(32, 32, () => 200),
      32,
      IDENTITY,
      input,
    );
    letterbox(
      picture(32, 8, () => 100),
      32,
      IDENTITY,
      input,
    );
    expect(input[31 * 32 + 5]).toBe(0);
    expect(input[5]).toBe(100);
  });
});
