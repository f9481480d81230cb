import { readFileSync } from 'node:fs';
import { builtFile } from '../../config/package.ts';
import type { Pixels } from '../decode/decode.ts';

/** OpenCV interpolates 8-bit pictures with weights of 11 bits. */
const WEIGHT_BITS = 11;
const WEIGHT_ONE = 1 << WEIGHT_BITS;

/** Source rows are copied to where the kernels can reach them in bands of at most so many bytes. */
const BAND_BYTES = 1 << 18;
/** The kernels read whole words, beyond the last byte of a band. */
const BAND_SLACK = 16;
const WASM_PAGE = 65_536;

/** src/vision/assembly/bilinear.ts has what each does; addresses are in bytes. */
interface Kernels {
  memory: WebAssembly.Memory;
  interpolateRow(source: number, taps: number, weights: number, out: number, width: number): void;
  blendRows(
    upper: number,
    lower: number,
    upperWeight: number,
    lowerWeight: number,
    width: number,
    out: number,
    plane: number,
    mean: number,
    scale: number,
  ): void;
  halveRows(
    upper: number,
    lower: number,
    width: number,
    out: number,
    plane: number,
    mean: number,
    scale: number,
  ): void;
}

const kernelModule = new WebAssembly.Module(readFileSync(builtFile('vision/bilinear.wasm')));

/** Where each pixel of one resized axis comes from: two neighbouring source samples and their weights. */
interface AxisTaps {
  first: Uint32Array;
  second: Uint32Array;
  firstWeight: Int16Array;
  secondWeight: Int16Array;
}

/**
 * A square network input (3 × size × size, channels R, G, B) that pictures are resized into: top left, keeping their
 * aspect ratio; the rest is black. Its buffers are kept between pictures.
 *
 * The resampling is OpenCV's INTER_LINEAR for 8 bits: two taps an axis, no antialiasing, fixed-point weights, rounded
 * to whole grey levels. The fit is InsightFace's (scrfd.py): the longer side fills the square, the other is truncated.
 */
export class Letterbox {
  readonly size: number;
  /** Normalised. The next picture overwrites it. */
  readonly input: Float32Array<ArrayBuffer>;
  readonly #mean: number;
  readonly #scale: number;
  readonly #kernels: Kernels;
  readonly #at: { input: number; band: number; taps: number; weights: number; rows: [number, number] };
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #taps: Uint32Array;
  readonly #weights: Int16Array;
  /** Extent in pixels of what the last picture covered. */
  #covered = { width: 0, height: 0 };

  /** @param size side in pixels, a multiple of 32. */
  constructor(size: number, { mean, std }: { mean: number; std: number }) {
    this.size = size;
    this.#mean = mean;
    // Multiplied as in OpenCV's blobFromImage, which InsightFace calls.
    this.#scale = 1 / std;
    const instance = new WebAssembly.Instance(kernelModule);
    this.#kernels = instance.exports as unknown as Kernels;
    const { memory } = this.#kernels;
    let end = memory.buffer.byteLength;
    const take = (bytes: number) => {
      const start = end;
      end += Math.ceil(bytes / 16) * 16;
      return start;
    };
    this.#at = {
      input: take(3 * size * size * Float32Array.BYTES_PER_ELEMENT),
      taps: take(size * Uint32Array.BYTES_PER_ELEMENT),
      weights: take(2 * size * Int16Array.BYTES_PER_ELEMENT),
      rows: [take(3 * size * Int16Array.BYTES_PER_ELEMENT), take(3 * size * Int16Array.BYTES_PER_ELEMENT)],
      band: take(BAND_BYTES + BAND_SLACK),
    };
    memory.grow(Math.ceil((end - memory.buffer.byteLength) / WASM_PAGE));
    const { buffer } = memory;
    this.input = new Float32Array(buffer, this.#at.input, 3 * size * size);
    this.#bytes = new Uint8Array(buffer);
    this.#taps = new Uint32Array(buffer, this.#at.taps, size);
    this.#weights = new Int16Array(buffer, this.#at.weights, 2 * size);
  }

  /** @returns resized pixels for one source pixel; divide detector coordinates by it to get picture coordinates. */
  fit(picture: Pixels): number {
    const { size } = this;
    const { width, height } = picture;
    const portrait = height > width;
    const fittedHeight = portrait ? size : Math.max(1, Math.trunc(size * (height / width)));
    const fittedWidth = portrait ? Math.max(1, Math.trunc(size / (height / width))) : size;
    this.#blacken(fittedWidth, fittedHeight);
    const halved = width === 2 * fittedWidth && height === 2 * fittedHeight && fittedWidth % 8 === 0;
    if (halved) this.#halve(picture);
    else this.#interpolate(picture, fittedWidth, fittedHeight);
    return fittedHeight / height;
  }

  /** What most cameras give, 1280 pixels wide, to the 640 of a detector, comes here. */
  #halve({ data, width, height }: Pixels): void {
    const { size } = this;
    const rowBytes = width * 3;
    const pairs = Math.floor(BAND_BYTES / (2 * rowBytes));
    for (let band = 0; band < height; band += 2 * pairs) {
      const rows = Math.min(2 * pairs, height - band);
      this.#bytes.set(data.subarray(band * rowBytes, (band + rows) * rowBytes), this.#at.band);
      for (let row = 0; row < rows; row += 2) {
        const upper = this.#at.band + row * rowBytes;
        const to = this.#at.input + 4 * ((band + row) / 2) * size;
        this.#kernels.halveRows(
          upper,
          upper + rowBytes,
          width / 2,
          to,
          4 * size * size,
          this.#mean,
          this.#scale,
        );
      }
    }
  }

  #interpolate(picture: Pixels, fittedWidth: number, fittedHeight: number): void {
    const { size } = this;
    const { width, height } = picture;
    const { taps, weights, rows, input } = this.#at;
    const paddedWidth = Math.ceil(fittedWidth / 8) * 8;
    const vertical = axisTaps(height, fittedHeight);
    const addressOf = this.#openBands(picture, axisTaps(width, fittedWidth), paddedWidth, fittedHeight);
    let upper = { row: -1, address: rows[0] };
    let lower = { row: -1, address: rows[1] };
    const interpolate = (line: { row: number; address: number }, row: number) => {
      if (line.row === row) return;
      line.row = row;
      this.#kernels.interpolateRow(addressOf(row), taps, weights, line.address, paddedWidth);
    };
    for (let y = 0; y < fittedHeight; y++) {
      const first = vertical.first[y] as number;
      const second = vertical.second[y] as number;
      // Going down the picture, what was the lower source row often becomes the upper one.
      if (upper.row !== first && lower.row === first) [upper, lower] = [lower, upper];
      interpolate(upper, first);
      interpolate(lower, second);
      this.#kernels.blendRows(
        upper.address,
        lower.address,
        vertical.firstWeight[y] as number,
        vertical.secondWeight[y] as number,
        paddedWidth,
        input + 4 * y * size,
        4 * size * size,
        this.#mean,
        this.#scale,
      );
    }
  }

  /** Columns between the fitted width and the next multiple of eight turn black by themselves: their weights are zero. */
  #blacken(width: number, height: number): void {
    if (this.#covered.width === width && this.#covered.height === height) return;
    this.#covered = { width, height };
    const { size, input } = this;
    const black = (0 - this.#mean) * this.#scale;
    if (width < size) input.fill(black);
    else
      for (let plane = 1; plane <= 3; plane++)
        input.fill(black, ((plane - 1) * size + height) * size, plane * size * size);
  }

  /**
   * Tells the kernels which columns to read, and makes source rows available to them.
   *
   * @returns the address of a source row; an earlier address may not hold its row any longer.
   */
  #openBands(
    { data, width, height }: Pixels,
    columns: AxisTaps,
    paddedWidth: number,
    outputRows: number,
  ): (row: number) => number {
    const { band } = this.#at;
    const rowBytes = width * 3;
    const whole = rowBytes <= BAND_BYTES;
    this.#taps.fill(0, 0, paddedWidth);
    this.#weights.fill(0, 0, 2 * paddedWidth);
    for (let x = 0; x < columns.first.length; x++) {
      this.#taps[x] = whole ? 3 * (columns.first[x] as number) : 6 * x;
      this.#weights[2 * x] = columns.firstWeight[x] as number;
      this.#weights[2 * x + 1] = columns.secondWeight[x] as number;
    }
    if (!whole) return (row) => this.#gatherRow(data.subarray(row * rowBytes, (row + 1) * rowBytes), columns);

    const most = Math.floor(BAND_BYTES / rowBytes);
    // What is reduced to less than half skips rows, and only pairs of neighbours count.
    const rows = height > 2 * outputRows ? Math.min(2, most) : most;
    let from = 0;
    let to = 0;
    return (row) => {
      if (row < from || row >= to) {
        from = row;
        to = Math.min(height, row + rows);
        this.#bytes.set(data.subarray(from * rowBytes, to * rowBytes), band);
      }
      return band + (row - from) * rowBytes;
    };
  }

  /** For a row that is longer than a band: only the pixels that count, in pairs. */
  #gatherRow(row: Uint8Array, { first, second }: AxisTaps): number {
    const { band } = this.#at;
    for (let x = 0; x < first.length; x++) {
      const left = 3 * (first[x] as number);
      const right = 3 * (second[x] as number);
      this.#bytes.set(row.subarray(left, left + 3), band + 6 * x);
      this.#bytes.set(row.subarray(right, right + 3), band + 6 * x + 3);
    }
    return band;
  }
}

function axisTaps(sourceLength: number, length: number): AxisTaps {
  const taps: AxisTaps = {
    first: new Uint32Array(length),
    second: new Uint32Array(length),
    firstWeight: new Int16Array(length),
    secondWeight: new Int16Array(length),
  };
  const scale = sourceLength / length;
  for (let i = 0; i < length; i++) {
    // Pixel centres are at halves; float32 as in OpenCV.
    const position = Math.fround((i + 0.5) * scale - 0.5);
    const floor = Math.floor(position);
    const inside = floor >= 0 && floor < sourceLength - 1;
    const source = Math.min(Math.max(floor, 0), sourceLength - 1);
    const fraction = inside ? Math.fround(position - floor) : 0;
    taps.first[i] = source;
    taps.second[i] = inside ? source + 1 : source;
    taps.firstWeight[i] = roundHalfEven((1 - fraction) * WEIGHT_ONE);
    taps.secondWeight[i] = roundHalfEven(fraction * WEIGHT_ONE);
  }
  return taps;
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value);
}
