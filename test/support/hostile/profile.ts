import { join, repeat, text, u16be, u32be, zeros } from './bytes.ts';

const fixed = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(Math.round(value * 65536));
  return bytes;
};
const float = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatBE(value);
  return bytes;
};
const xyz = (x: number, y: number, z: number) => join(text('XYZ '), u32be(0), fixed(x), fixed(y), fixed(z));
const words = join(text('mluc'), u32be(0, 1, 12), text('enUS'), u32be(2, 28), text('\0A'));
const linear = join(text('curv'), u32be(0, 0));

const BASE: [string, Uint8Array][] = [
  ['desc', words],
  ['cprt', words],
  ['wtpt', xyz(0.9642, 1, 0.8249)],
  ['rXYZ', xyz(0.43, 0.22, 0.01)],
  ['gXYZ', xyz(0.38, 0.71, 0.09)],
  ['bXYZ', xyz(0.14, 0.06, 0.71)],
  ['rTRC', linear],
  ['gTRC', linear],
  ['bTRC', linear],
];

/** A colour profile of a display, and more tags. */
export function profile(...more: [string, Uint8Array][]) {
  const tags = [...BASE, ...more];
  let at = 132 + 12 * tags.length;
  const directory: Uint8Array[] = [];
  const contents: Uint8Array[] = [];
  for (const [name, content] of tags) {
    directory.push(text(name), u32be(at, content.length));
    const padded = join(content, zeros((4 - (content.length % 4)) % 4));
    contents.push(padded);
    at += padded.length;
  }
  const header = zeros(128);
  u32be(at).copy(header, 0);
  u32be(0x04300000).copy(header, 8);
  text('mntrRGB XYZ ').copy(header, 12);
  text('acsp').copy(header, 36);
  xyz(0.9642, 1, 0.8249).copy(header, 68, 8);
  return join(header, u32be(tags.length), ...directory, ...contents);
}

/** A program of many steps, which share the bytes of one. */
export function program(steps: number): [string, Uint8Array] {
  const matrix = join(
    text('matf'),
    u32be(0),
    u16be(3, 3),
    ...[1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0].map(float),
  );
  const places = repeat(u32be(16 + 8 * steps, matrix.length), steps);
  return ['D2B0', join(text('mpet'), u32be(0), u16be(3, 3), u32be(steps), places, matrix)];
}

/** A program of steps with curves of several segments, each a power, all sharing the bytes of one curve. */
export function curves(steps: number, segments: number): [string, Uint8Array] {
  const powers = repeat(join(text('parf'), u32be(0), u16be(0, 0), ...[2.2, 1, 0, 0].map(float)), segments);
  const limits = Array.from({ length: segments - 1 }, (_, index) => float((index + 1) / segments));
  const curve = join(text('curf'), u32be(0), u16be(segments, 0), ...limits, powers);
  const step = join(text('cvst'), u32be(0), u16be(3, 3), repeat(u32be(36, curve.length), 3), curve);
  const places = repeat(u32be(16 + 8 * steps, step.length), steps);
  return ['D2B0', join(text('mpet'), u32be(0), u16be(3, 3), u32be(steps), places, step)];
}
