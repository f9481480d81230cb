import { describe, expect, it } from 'vitest';
import { Letterbox } from '../../../src/vision/detect/letterbox.ts';
import { seededRandom } from '../../support/numbers.ts';

/** No normalisation, so that the input holds grey levels. */
const IDENTITY = { mean: 0, std: 1 };

function picture(width: number, height: number, level: (x: number, y: number, channel: number) => number) {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) {
    const pixel = Math.floor(i / 3);
    data[i] = level(pixel % width, Math.floor(pixel / width), i % 3);
  }
  return { data, width, height };
}

/** Textbook bilinear interpolation: floating point, at pixel centres, edges repeated. */
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
    '%s: equals textbook interpolation to one grey level, and is black outside the picture',
    (_name, width, height, size, fw, fh) => {
      const random = seededRandom(width);
      const source = picture(width, height, () => Math.floor(random() * 256));
      const letterbox = new Letterbox(size, IDENTITY);
      letterbox.input.fill(-1);
      letterbox.fit(source);
      const { input } = letterbox;
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

  it.each([
    ['landscape', 64, 48, 32],
    ['portrait', 48, 64, 32],
    ['more rows than one band holds', 1280, 720, 640],
    ['a width that is no multiple of eight', 24, 64, 32],
  ])('halves by rounded means of four pixels: %s', (_name, width, height, size) => {
    const random = seededRandom(width + height);
    const source = picture(width, height, () => Math.floor(random() * 256));
    const letterbox = new Letterbox(size, IDENTITY);
    expect(letterbox.fit(source)).toBe(0.5);
    const { input } = letterbox;
    const differences = [];
    for (let channel = 0; channel < 3; channel++) {
      for (let y = 0; y < height / 2; y++) {
        for (let x = 0; x < width / 2; x++) {
          const at = (dx: number, dy: number) =>
            source.data[((2 * y + dy) * width + 2 * x + dx) * 3 + channel] as number;
          const mean = Math.floor((at(0, 0) + at(1, 0) + at(0, 1) + at(1, 1) + 2) / 4);
          const value = input[(channel * size + y) * size + x];
          if (value !== mean) differences.push([x, y, channel, value, mean]);
        }
      }
    }
    expect(differences).toEqual([]);
  });

  it('copies a picture of the input size unchanged', () => {
    const source = picture(32, 32, (x, y, channel) => (x * 7 + y * 3 + channel * 50) % 256);
    const letterbox = new Letterbox(32, IDENTITY);
    const { input } = letterbox;
    expect(letterbox.fit(source)).toBe(1);
    expect(input[5 * 32 + 9]).toBe(source.data[(5 * 32 + 9) * 3]);
    expect(input[2 * 1024 + 5 * 32 + 9]).toBe(source.data[(5 * 32 + 9) * 3 + 2]);
  });

  it('returns the scale from picture to input', () => {
    const source = picture(1280, 886, () => 0);
    expect(new Letterbox(640, IDENTITY).fit(source)).toBe(443 / 886);
  });

  it.each([
    ['wide', 4000, 5, 640, 0.16],
    ['as wide as the input to one', 64, 2, 32, 0.5],
    ['high', 5, 4000, 640, 0.16],
  ])(
    'returns the scale of the longer side of a picture of which less than one row or column is left: %s',
    (_name, width, height, size, scale) => {
      expect(new Letterbox(size, IDENTITY).fit(picture(width, height, () => 0))).toBe(scale);
    },
  );

  it('normalises the pixels and pads with normalised black', () => {
    const letterbox = new Letterbox(32, { mean: 127.5, std: 128 });
    letterbox.fit(picture(32, 16, () => 255));
    expect(letterbox.input[0]).toBe(127.5 / 128);
    expect(letterbox.input[31 * 32]).toBe(-127.5 / 128);
  });

  it('keeps nothing of the previous picture', () => {
    const letterbox = new Letterbox(32, IDENTITY);
    const at = (x: number, y: number) => letterbox.input[2 * 1024 + y * 32 + x];
    const plain = (width: number, height: number, grey: number) => picture(width, height, () => grey);
    letterbox.fit(plain(32, 32, 200));
    letterbox.fit(plain(32, 8, 100));
    expect([at(5, 0), at(5, 7), at(5, 8), at(5, 31)]).toEqual([100, 100, 0, 0]);
    letterbox.fit(plain(3, 32, 50));
    expect([at(2, 31), at(3, 0), at(9, 0), at(31, 31)]).toEqual([50, 0, 0, 0]);
    letterbox.fit(plain(32, 16, 150));
    expect([at(31, 15), at(0, 16), at(31, 31)]).toEqual([150, 0, 0]);
  });

  it.each([
    ['several bands', 1000, 800],
    ['pairs of rows', 2000, 1500],
    ['bands of one row', 80_000, 9],
    ['pairs of the longest rows', 43_600, 9],
    ['bands of one longest row', 87_000, 9],
    ['rows much longer than a band', 300_000, 9],
    ['rows longer than a band', 400_000, 5],
  ])('equals OpenCV to the last bit: %s', (_name, width, height) => {
    const random = seededRandom(7);
    const source = picture(width, height, () => Math.floor(random() * 256));
    const size = 64;
    const letterbox = new Letterbox(size, { mean: 0, std: 1 });
    letterbox.fit(source);
    const fittedHeight = Math.max(1, Math.trunc((size * height) / width));
    const horizontal = taps(width, size);
    const vertical = taps(height, fittedHeight);
    for (let channel = 0; channel < 3; channel++) {
      for (let y = 0; y < fittedHeight; y++) {
        const row = Array.from({ length: size }, (_, x) => {
          const [left, right, wl, wr] = horizontal(x);
          const [above, below, wa, wb] = vertical(y);
          const level = (px: number, py: number) => source.data[(py * width + px) * 3 + channel] as number;
          const along = (py: number) => level(left, py) * wl + level(right, py) * wr;
          return ((((along(above) >> 4) * wa) >> 16) + (((along(below) >> 4) * wb) >> 16) + 2) >> 2;
        });
        const start = (channel * size + y) * size;
        expect([...letterbox.input.subarray(start, start + size)]).toEqual(row);
      }
    }
  });
});

/** Neighbours and their weights in 2048ths. Source: OpenCV, modules/imgproc/src/resize.cpp. */
function taps(source: number, length: number) {
  return (i: number): [number, number, number, number] => {
    const position = Math.fround((i + 0.5) * (source / length) - 0.5);
    const floor = Math.floor(position);
    if (floor < 0) return [0, 0, 2048, 0];
    if (floor >= source - 1) return [source - 1, source - 1, 2048, 0];
    const fraction = Math.fround(position - floor);
    return [floor, floor + 1, nearestEven((1 - fraction) * 2048), nearestEven(fraction * 2048)];
  };
}

function nearestEven(value: number): number {
  const [below, above] = [Math.floor(value), Math.ceil(value)];
  if (value - below === above - value) return below % 2 === 0 ? below : above;
  return Math.round(value);
}

it.each([
  [640, 443, 320],
  [320, 240, 160],
])('has the planes in the order B, G, R for a network that wants it: %d×%d', (width, height, size) => {
  const random = seededRandom(7);
  const source = picture(width, height, () => Math.floor(random() * 256));
  const rgb = new Letterbox(size, { mean: 10, std: 2 });
  const bgr = new Letterbox(size, { mean: 10, std: 2, channelOrder: 'bgr' });
  expect(bgr.fit(source)).toBe(rgb.fit(source));
  const planes = ({ input }: Letterbox) =>
    [0, 1, 2].map((plane) => input.slice(plane * size * size, (plane + 1) * size * size));
  expect(planes(bgr)).toEqual(planes(rgb).toReversed());
  expect(planes(rgb)[0]).not.toEqual(planes(rgb)[2]);
});
