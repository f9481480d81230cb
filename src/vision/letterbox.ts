import type { Picture } from './decode.ts';
import type { Normalisation } from './normalisation.ts';

/** OpenCV interpolates 8-bit pictures with weights of 11 bits. */
const WEIGHT_BITS = 11;
const WEIGHT_ONE = 1 << WEIGHT_BITS;

/** Where each pixel of one resized axis comes from: two neighbouring source pixels and their weights. */
interface AxisTaps {
  first: Int32Array;
  second: Int32Array;
  firstWeight: Int32Array;
  secondWeight: Int32Array;
}

/**
 * Resizes a picture into the top left of a square, keeping its aspect ratio; the rest is black. Writes the normalised
 * network input (3 × size × size, channels R, G, B) straight from the pixels.
 *
 * The resampling is OpenCV's INTER_LINEAR for 8 bits: two taps an axis, no antialiasing, fixed-point weights, rounded
 * to whole grey levels. The fit is InsightFace's (scrfd.py): the longer side fills the square, the other is truncated.
 *
 * @param input 3 · size · size floats, overwritten.
 * @returns resized pixels for one source pixel; divide detector coordinates by it to get picture coordinates.
 */
export function letterbox(
  picture: Picture,
  size: number,
  normalisation: Normalisation,
  input: Float32Array,
): number {
  const { data, width, height } = picture;
  const portrait = height > width;
  const fittedHeight = portrait ? size : Math.max(1, Math.trunc(size * (height / width)));
  const fittedWidth = portrait ? Math.max(1, Math.trunc(size / (height / width))) : size;
  const plane = size * size;
  if (fittedWidth < size || fittedHeight < size) input.fill(normalisation[0] as number);

  const columns = axisTaps(width, fittedWidth, 3);
  const rows = axisTaps(height, fittedHeight, width * 3);
  let upper: Row = { offset: -1, values: new Int32Array(fittedWidth * 3) };
  let lower: Row = { offset: -1, values: new Int32Array(fittedWidth * 3) };
  for (let y = 0; y < fittedHeight; y++) {
    const upperOffset = rows.first[y] as number;
    const lowerOffset = rows.second[y] as number;
    // Going down the picture, what was the lower source row often becomes the upper one.
    if (upper.offset !== upperOffset && lower.offset === upperOffset) [upper, lower] = [lower, upper];
    interpolateRow(data, upperOffset, columns, upper);
    interpolateRow(data, lowerOffset, columns, lower);
    blendRows(upper.values, lower.values, rows.firstWeight[y] as number, rows.secondWeight[y] as number, {
      normalisation,
      input,
      plane,
      offset: y * size,
      width: fittedWidth,
    });
  }
  return fittedHeight / height;
}

/** One source row, interpolated along x: three planes of width values, of 8 + 7 bits. */
interface Row {
  /** Index of the source row's first byte, -1 while empty. */
  offset: number;
  values: Int32Array;
}

function interpolateRow(data: Uint8Array, offset: number, columns: AxisTaps, row: Row): void {
  if (row.offset === offset) return;
  row.offset = offset;
  const { first, second, firstWeight, secondWeight } = columns;
  const width = first.length;
  const red = row.values.subarray(0, width);
  const green = row.values.subarray(width, 2 * width);
  const blue = row.values.subarray(2 * width);
  for (let x = 0; x < width; x++) {
    const a = offset + (first[x] as number);
    const b = offset + (second[x] as number);
    const wa = firstWeight[x] as number;
    const wb = secondWeight[x] as number;
    // OpenCV's vertical pass drops four bits of these before it multiplies; here that is done once for both its uses.
    red[x] = ((data[a] as number) * wa + (data[b] as number) * wb) >> 4;
    green[x] = ((data[a + 1] as number) * wa + (data[b + 1] as number) * wb) >> 4;
    blue[x] = ((data[a + 2] as number) * wa + (data[b + 2] as number) * wb) >> 4;
  }
}

interface RowTarget {
  normalisation: Normalisation;
  input: Float32Array;
  plane: number;
  offset: number;
  width: number;
}

/** The vertical pass of OpenCV, in 32 bits. Views of exactly one row let the compiler drop its checks of bounds. */
function blendRows(upper: Int32Array, lower: Int32Array, wu: number, wl: number, target: RowTarget): void {
  const { normalisation, input, plane, offset, width } = target;
  for (let channel = 0; channel < 3; channel++) {
    const above = upper.subarray(channel * width, (channel + 1) * width);
    const below = lower.subarray(channel * width, (channel + 1) * width);
    const out = input.subarray(channel * plane + offset, channel * plane + offset + width);
    for (let x = 0; x < width; x++) {
      const value = (((above[x] as number) * wu) >> 16) + (((below[x] as number) * wl) >> 16);
      out[x] = normalisation[(value + 2) >> 2] as number;
    }
  }
}

/** @param stride distance between neighbouring source samples in the array that the taps index. */
function axisTaps(sourceLength: number, length: number, stride: number): AxisTaps {
  const taps: AxisTaps = {
    first: new Int32Array(length),
    second: new Int32Array(length),
    firstWeight: new Int32Array(length),
    secondWeight: new Int32Array(length),
  };
  const scale = sourceLength / length;
  for (let i = 0; i < length; i++) {
    // Pixel centres are at halves; float32 as in OpenCV.
    const position = Math.fround((i + 0.5) * scale - 0.5);
    const floor = Math.floor(position);
    const inside = floor >= 0 && floor < sourceLength - 1;
    const source = Math.min(Math.max(floor, 0), sourceLength - 1);
    const fraction = inside ? Math.fround(position - floor) : 0;
    taps.first[i] = source * stride;
    taps.second[i] = (inside ? source + 1 : source) * stride;
    taps.firstWeight[i] = roundHalfEven((1 - fraction) * WEIGHT_ONE);
    taps.secondWeight[i] = roundHalfEven(fraction * WEIGHT_ONE);
  }
  return taps;
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value);
}
