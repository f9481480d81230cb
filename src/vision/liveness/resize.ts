import { axisTaps } from '../detect/axis-taps.ts';
import type { Pixels } from '../picture.ts';
import type { Region } from './regions.ts';

/** Bits of a weight that are kept between OpenCV's two passes over 8-bit pictures, and those that are dropped at the end. */
const FIRST_SHIFT = 4;
const SECOND_SHIFT = 16;
const LAST_SHIFT = 2;
const LAST_HALF = 1 << (LAST_SHIFT - 1);

/**
 * Resizes a region to a square, as OpenCV's INTER_LINEAR does for 8 bits: neighbours are interpolated, and where the region is
 * reduced, pixels between them are left out.
 *
 * @param region inside the picture.
 * @param out size × size × 3 bytes, interleaved; overwritten.
 */
export function interpolateRegion(picture: Pixels, region: Region, size: number, out: Uint8Array): void {
  const { data, width } = picture;
  const across = axisTaps(region.width, size);
  const down = axisTaps(region.height, size);
  const interpolateRow = (row: number, into: Int32Array) => {
    const start = ((region.top + row) * width + region.left) * 3;
    for (let x = 0, i = 0; x < size; x++) {
      const first = start + 3 * (across.first[x] as number);
      const second = start + 3 * (across.second[x] as number);
      const [firstWeight, secondWeight] = [across.firstWeight[x] as number, across.secondWeight[x] as number];
      for (let channel = 0; channel < 3; channel++, i++) {
        const sum =
          firstWeight * (data[first + channel] as number) + secondWeight * (data[second + channel] as number);
        into[i] = sum >> FIRST_SHIFT;
      }
    }
  };
  const upper = new Int32Array(size * 3);
  const lower = new Int32Array(size * 3);
  for (let y = 0, pixel = 0; y < size; y++) {
    interpolateRow(down.first[y] as number, upper);
    interpolateRow(down.second[y] as number, lower);
    const [upperWeight, lowerWeight] = [down.firstWeight[y] as number, down.secondWeight[y] as number];
    for (let i = 0; i < upper.length; i++, pixel++) {
      const above = (upperWeight * (upper[i] as number)) >> SECOND_SHIFT;
      const below = (lowerWeight * (lower[i] as number)) >> SECOND_SHIFT;
      out[pixel] = (above + below + LAST_HALF) >> LAST_SHIFT;
    }
  }
}

/** Where the pixels of one reduced axis come from: runs of samples, which partly belong to two pixels. */
interface Areas {
  /** Of each pixel, where its run begins in the other lists; and the end of the last. */
  starts: Uint32Array;
  samples: number[];
  weights: number[];
}

/** Smaller parts of a sample are left out. Source: OpenCV, modules/imgproc/src/resize.cpp (computeResizeAreaTab). */
const LEAST_PART = 1e-3;

/**
 * Reduces a region to a square, as OpenCV's INTER_AREA: each pixel is the mean of the area that it covers. Beyond the picture, the
 * picture is mirrored without repeating its edge (BORDER_REFLECT_101).
 *
 * @param region at least as large as the square.
 * @param out size × size × 3 bytes, interleaved; overwritten.
 */
export function averageRegion(picture: Pixels, region: Region, size: number, out: Uint8Array): void {
  const { data, width, height } = picture;
  const across = areasOf(region.left, region.width, size, width);
  const down = areasOf(region.top, region.height, size, height);
  const sums = new Float64Array(size * 3);
  for (let y = 0, pixel = 0; y < size; y++) {
    sums.fill(0);
    for (let row = down.starts[y] as number; row < (down.starts[y + 1] as number); row++) {
      const start = (down.samples[row] as number) * width;
      const rowWeight = down.weights[row] as number;
      for (let x = 0; x < size; x++) {
        for (let column = across.starts[x] as number; column < (across.starts[x + 1] as number); column++) {
          const from = (start + (across.samples[column] as number)) * 3;
          const weight = rowWeight * (across.weights[column] as number);
          for (let channel = 0; channel < 3; channel++) {
            const i = 3 * x + channel;
            sums[i] = (sums[i] as number) + weight * (data[from + channel] as number);
          }
        }
      }
    }
    for (let i = 0; i < sums.length; i++, pixel++) out[pixel] = Math.round(sums[i] as number);
  }
}

function areasOf(from: number, length: number, size: number, limit: number): Areas {
  const scale = length / size;
  const areas: Areas = { starts: new Uint32Array(size + 1), samples: [], weights: [] };
  const add = (sample: number, part: number) => {
    areas.samples.push(mirror(from + sample, limit));
    areas.weights.push(part);
  };
  for (let i = 0; i < size; i++) {
    const [begin, end] = [i * scale, (i + 1) * scale];
    const cell = Math.min(scale, length - begin);
    const last = Math.min(Math.floor(end), length - 1);
    const first = Math.min(Math.ceil(begin), last);
    if (first - begin > LEAST_PART) add(first - 1, (first - begin) / cell);
    for (let sample = first; sample < last; sample++) add(sample, 1 / cell);
    if (end - last > LEAST_PART) add(last, Math.min(end - last, 1, cell) / cell);
    areas.starts[i + 1] = areas.samples.length;
  }
  return areas;
}

/** The pixel of the picture that is seen at an index beyond it. */
function mirror(index: number, limit: number): number {
  if (limit === 1) return 0;
  const period = 2 * (limit - 1);
  const rest = ((index % period) + period) % period;
  return rest < limit ? rest : period - rest;
}
