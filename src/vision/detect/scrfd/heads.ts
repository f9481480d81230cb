import type { DeferredConvolution, DeferredHead } from '../../../onnx/rewrite/deferred-heads.ts';
import { ANCHORS, BOX_VALUES, LANDMARK_VALUES } from '../../../onnx/scrfd-outputs.ts';

/** A detector's outputs for the anchors of one stride. */
export interface Head {
  /** One for each anchor, 0..1. */
  scores: Float32Array;
  /** @returns distances from the anchor's cell to the box's left, top, right and bottom, in strides. */
  boxOf(anchor: number): ArrayLike<number>;
  /** @returns x and y of five landmarks, relative to the anchor's cell, in strides. */
  landmarksOf(anchor: number): ArrayLike<number>;
}

/** The head of a complete graph, which computed a row of values for each anchor. */
export class DenseHead implements Head {
  readonly scores: Float32Array;
  readonly #boxes: Float32Array;
  readonly #landmarks: Float32Array;

  constructor(scores: Float32Array, boxes: Float32Array, landmarks: Float32Array) {
    this.scores = scores;
    this.#boxes = boxes;
    this.#landmarks = landmarks;
  }

  boxOf(anchor: number): ArrayLike<number> {
    return this.#boxes.subarray(anchor * BOX_VALUES, (anchor + 1) * BOX_VALUES);
  }

  landmarksOf(anchor: number): ArrayLike<number> {
    return this.#landmarks.subarray(anchor * LANDMARK_VALUES, (anchor + 1) * LANDMARK_VALUES);
  }
}

/** The head of a graph that leaves out boxes and landmarks: they are computed for the anchors that are asked for. */
export class LazyHead implements Head {
  readonly scores: Float32Array;
  readonly #features: Float32Array;
  readonly #prepared: PreparedHead;
  readonly #columns: number;
  /** For each row of the feature map, its row in `features`; -1 if the graph dropped it. */
  readonly #rows: Int16Array;
  /** The convolutions' input around the cell `#patchCell`, in {@link ProductOrder}. */
  readonly #patch: Float32Array;
  #patchCell = -1;

  /**
   * @param features channels × rows × columns, kept rows only.
   * @param kept a number for each row of the feature map, zero for a dropped one. The row of each anchor that is asked
   *   for must be kept, and the rows next to it.
   * @param columns of the feature map.
   */
  constructor(
    scores: Float32Array,
    features: Float32Array,
    kept: Uint8Array,
    prepared: PreparedHead,
    columns: number,
  ) {
    this.scores = scores;
    this.#features = features;
    this.#rows = new Int16Array(kept.length);
    let count = 0;
    for (let row = 0; row < kept.length; row++) this.#rows[row] = kept[row] ? count++ : -1;
    this.#prepared = prepared;
    this.#columns = columns;
    this.#patch = new Float32Array(prepared.channels * POSITIONS);
  }

  boxOf(anchor: number): ArrayLike<number> {
    return this.#convolve(this.#prepared.boxes, anchor, BOX_VALUES);
  }

  landmarksOf(anchor: number): ArrayLike<number> {
    return this.#convolve(this.#prepared.landmarks, anchor, LANDMARK_VALUES);
  }

  #convolve(convolution: DeferredConvolution, anchor: number, values: number): Float32Array {
    const cell = Math.floor(anchor / ANCHORS);
    if (cell !== this.#patchCell) this.#copyPatch(cell);
    this.#patchCell = cell;
    return convolve(convolution, (anchor % ANCHORS) * values, values, this.#patch);
  }

  /** Copies the 3 × 3 cells around a cell; zeros beyond the edges of the feature map. */
  #copyPatch(cell: number): void {
    const { channels } = this.#prepared;
    const x = cell % this.#columns;
    const y = Math.floor(cell / this.#columns);
    const plane = this.#features.length / channels;
    // The offset of each position in a channel's plane; -1 outside the feature map.
    const offsets = new Int32Array(POSITIONS);
    for (let position = 0; position < POSITIONS; position++) {
      const column = x - 1 + (position % KERNEL);
      const row = this.#rows[y - 1 + Math.floor(position / KERNEL)];
      if (row === -1) throw new Error('The detector dropped the features of a row with a face.');
      const isInside = row !== undefined && column >= 0 && column < this.#columns;
      offsets[position] = isInside ? row * this.#columns + column : -1;
    }
    const patch = this.#patch;
    const features = this.#features;
    let at = 0;
    for (let block = 0; block < channels; block += BLOCK) {
      const end = Math.min(block + BLOCK, channels) * plane;
      for (let position = 0; position < POSITIONS; position++) {
        const offset = offsets[position] as number;
        if (offset < 0) {
          for (let channel = block * plane; channel < end; channel += plane) patch[at++] = 0;
        } else {
          for (let from = block * plane + offset; from < end; from += plane)
            patch[at++] = features[from] as number;
        }
      }
    }
  }
}

/** A deferred head with its weights in {@link ProductOrder}. */
export type PreparedHead = Omit<DeferredHead, 'features' | 'kept'>;

const KERNEL = 3;
const POSITIONS = KERNEL * KERNEL;

/**
 * On processors with AVX-512, ONNX Runtime adds the products of 16 channels at one kernel position, then those at the next
 * (microsoft/onnxruntime, core/mlas/lib/snchwc.cpp). Adding in the same order makes nearly all boxes and landmarks equal to
 * the last bit. A landmark that differs by one rounding can move a whole row of the aligned face by a 32nd of a pixel, and
 * the embedding by a cosine of 1 − 1e-6.
 */
const BLOCK = 16;

/** The channel and the kernel position of each product, in the order of their addition. */
interface ProductOrder {
  channel: Uint16Array;
  position: Uint8Array;
}

function orderProducts(channels: number): ProductOrder {
  const order = {
    channel: new Uint16Array(channels * POSITIONS),
    position: new Uint8Array(channels * POSITIONS),
  };
  let at = 0;
  for (let block = 0; block < channels; block += BLOCK) {
    for (let position = 0; position < POSITIONS; position++) {
      for (let channel = block; channel < Math.min(block + BLOCK, channels); channel++) {
        order.channel[at] = channel;
        order.position[at++] = position;
      }
    }
  }
  return order;
}

export function prepareHead({ channels, boxes, landmarks }: DeferredHead): PreparedHead {
  const order = orderProducts(channels);
  const length = channels * POSITIONS;
  const prepare = ({ weights, bias }: DeferredConvolution): DeferredConvolution => {
    const ordered = weights.map((_, index) => {
      const output = Math.floor(index / length);
      const channel = order.channel[index % length] as number;
      const position = order.position[index % length] as number;
      return weights[(output * channels + channel) * POSITIONS + position] as number;
    });
    return { weights: ordered, bias };
  };
  return { channels, boxes: prepare(boxes), landmarks: prepare(landmarks) };
}

/**
 * Computes `count` outputs of a convolution, an even number, in single precision. A product and its addition are rounded once,
 * as by the processor's fused multiply-add, except for rare ties. Two outputs at a time, so that their additions overlap.
 */
function convolve(
  { weights, bias }: DeferredConvolution,
  firstOutput: number,
  count: number,
  patch: Float32Array,
): Float32Array {
  const sums = new Float32Array(count);
  const { length } = patch;
  for (let block = 0; block < length; block += BLOCK * POSITIONS) {
    const end = Math.min(block + BLOCK * POSITIONS, length);
    for (let output = 0; output < count; output += 2) {
      const row = (firstOutput + output) * length;
      let one = 0;
      let other = 0;
      for (let i = block; i < end; i++) {
        const value = patch[i] as number;
        one = Math.fround((weights[row + i] as number) * value + one);
        other = Math.fround((weights[row + length + i] as number) * value + other);
      }
      sums[output] = (sums[output] as number) + one;
      sums[output + 1] = (sums[output + 1] as number) + other;
    }
  }
  for (let output = 0; output < count; output++) {
    sums[output] = (sums[output] as number) + (bias[firstOutput + output] as number);
  }
  return sums;
}
