import type { Pixels } from '../picture.ts';
import { type AxisTaps, axisTaps } from './axis-taps.ts';
import { instantiateKernels, type Kernels } from './kernels.ts';

/** Maximum size of a band: the source rows that are copied to WebAssembly's memory at a time. */
const BAND_BYTES = 1 << 18;
/** The kernels read whole words, beyond the last byte of a band. */
const BAND_SLACK = 16;
const WASM_PAGE = 65_536;

export interface PictureInputOptions {
  mean: number;
  std: number;
  /** The order of the input's channels; R, G, B if it is not given. */
  channelOrder?: 'rgb' | 'bgr';
}

/**
 * A network input (3 × height × width) into whose top left corner pictures are resized; the rest is black. Its buffers are
 * reused from picture to picture.
 *
 * The resampling is OpenCV's INTER_LINEAR for 8 bits: two taps per axis, no antialiasing, fixed-point weights, rounded
 * to whole grey levels.
 */
export class PictureInput {
  readonly width: number;
  readonly height: number;
  /** Normalised pixels. The next picture overwrites them. */
  readonly input: Float32Array<ArrayBuffer>;
  readonly #mean: number;
  readonly #scale: number;
  /** In bytes: where the red plane begins in the input, and how far each further plane of R, G, B is from the one before. */
  readonly #planes: { red: number; step: number };
  readonly #kernels: Kernels;
  /** Addresses in the kernels' memory, in bytes. */
  readonly #at: { input: number; band: number; taps: number; weights: number; rows: [number, number] };
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #taps: Uint32Array;
  readonly #weights: Int16Array;
  /** The area that the last picture covered, in pixels. */
  #covered = { width: 0, height: 0 };

  /** @param width in pixels, a multiple of 8. */
  constructor(width: number, height: number, { mean, std, channelOrder = 'rgb' }: PictureInputOptions) {
    this.width = width;
    this.height = height;
    this.#mean = mean;
    // Multiplied as in OpenCV's blobFromImage, which InsightFace calls.
    this.#scale = 1 / std;
    const plane = width * height * Float32Array.BYTES_PER_ELEMENT;
    this.#planes = channelOrder === 'rgb' ? { red: 0, step: plane } : { red: 2 * plane, step: -plane };
    this.#kernels = instantiateKernels();
    const { memory } = this.#kernels;
    let end = memory.buffer.byteLength;
    const allocate = (bytes: number) => {
      const start = end;
      end += Math.ceil(bytes / 16) * 16;
      return start;
    };
    this.#at = {
      input: allocate(3 * plane),
      taps: allocate(width * Uint32Array.BYTES_PER_ELEMENT),
      weights: allocate(2 * width * Int16Array.BYTES_PER_ELEMENT),
      rows: [
        allocate(3 * width * Int16Array.BYTES_PER_ELEMENT),
        allocate(3 * width * Int16Array.BYTES_PER_ELEMENT),
      ],
      band: allocate(BAND_BYTES + BAND_SLACK),
    };
    memory.grow(Math.ceil((end - memory.buffer.byteLength) / WASM_PAGE));
    const { buffer } = memory;
    this.input = new Float32Array(buffer, this.#at.input, 3 * width * height);
    this.#bytes = new Uint8Array(buffer);
    this.#taps = new Uint32Array(buffer, this.#at.taps, width);
    this.#weights = new Int16Array(buffer, this.#at.weights, 2 * width);
  }

  /** Resizes a picture to this size, at most that of the input, and draws it. */
  draw(picture: Pixels, fittedWidth: number, fittedHeight: number): void {
    this.#clearPadding(fittedWidth, fittedHeight);
    const { width, height } = picture;
    const halved = width === 2 * fittedWidth && height === 2 * fittedHeight && fittedWidth % 8 === 0;
    if (halved) this.#halve(picture);
    else this.#interpolate(picture, fittedWidth, fittedHeight);
  }

  /** For example from 1280 pixels, a common camera width, to the detector's 640. */
  #halve({ data, width, height }: Pixels): void {
    const rowBytes = width * 3;
    const pairs = Math.floor(BAND_BYTES / (2 * rowBytes));
    for (let band = 0; band < height; band += 2 * pairs) {
      const rows = Math.min(2 * pairs, height - band);
      this.#bytes.set(data.subarray(band * rowBytes, (band + rows) * rowBytes), this.#at.band);
      for (let row = 0; row < rows; row += 2) {
        const upper = this.#at.band + row * rowBytes;
        const to = this.#at.input + this.#planes.red + 4 * ((band + row) / 2) * this.width;
        this.#kernels.halveRows(
          upper,
          upper + rowBytes,
          width / 2,
          to,
          this.#planes.step,
          this.#mean,
          this.#scale,
        );
      }
    }
  }

  #interpolate(picture: Pixels, fittedWidth: number, fittedHeight: number): void {
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
      // The lower source row of one output row is often the upper row of the next.
      if (upper.row !== first && lower.row === first) [upper, lower] = [lower, upper];
      interpolate(upper, first);
      interpolate(lower, second);
      this.#kernels.blendRows(
        upper.address,
        lower.address,
        vertical.firstWeight[y] as number,
        vertical.secondWeight[y] as number,
        paddedWidth,
        input + this.#planes.red + 4 * y * this.width,
        this.#planes.step,
        this.#mean,
        this.#scale,
      );
    }
  }

  /** The kernels write black up to the next multiple of eight columns, as the weights there are zero. */
  #clearPadding(width: number, height: number): void {
    if (this.#covered.width === width && this.#covered.height === height) return;
    this.#covered = { width, height };
    const { input } = this;
    const black = (0 - this.#mean) * this.#scale;
    if (width < this.width) input.fill(black);
    else
      for (let plane = 1; plane <= 3; plane++)
        input.fill(black, ((plane - 1) * this.height + height) * width, plane * this.height * width);
  }

  /**
   * Writes the taps of the columns to the kernels' memory.
   *
   * @returns a function that copies a source row there, with those after it, and returns its address. Each call may
   *   overwrite the rows of earlier ones.
   */
  #openBands(
    { data, width, height }: Pixels,
    columns: AxisTaps,
    paddedWidth: number,
    outputRows: number,
  ): (row: number) => number {
    const { band } = this.#at;
    const rowBytes = width * 3;
    const isRowWithinBand = rowBytes <= BAND_BYTES;
    this.#taps.fill(0, 0, paddedWidth);
    this.#weights.fill(0, 0, 2 * paddedWidth);
    for (let x = 0; x < columns.first.length; x++) {
      this.#taps[x] = isRowWithinBand ? 3 * (columns.first[x] as number) : 6 * x;
      this.#weights[2 * x] = columns.firstWeight[x] as number;
      this.#weights[2 * x + 1] = columns.secondWeight[x] as number;
    }
    if (!isRowWithinBand)
      return (row) => this.#gatherRow(data.subarray(row * rowBytes, (row + 1) * rowBytes), columns);

    const maxRows = Math.floor(BAND_BYTES / rowBytes);
    // A reduction to less than half skips rows: only pairs of neighbours are read.
    const rows = height > 2 * outputRows ? Math.min(2, maxRows) : maxRows;
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

  /** For a row longer than a band: copies only the pixels that the taps read, in pairs. */
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
