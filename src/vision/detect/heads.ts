import type { DeferredConvolution, DeferredHead } from '../../onnx/rewrite/deferred-heads.ts';
import { ANCHORS, BOX_VALUES, LANDMARK_VALUES } from '../../onnx/rewrite/scrfd.ts';

/** What a detector says of the anchors at one stride. */
export interface Head {
  /** One of each anchor, 0..1. */
  scores: Float32Array;
  /** @returns distances from the anchor's cell to the box's left, top, right and bottom, in strides. */
  boxOf(anchor: number): ArrayLike<number>;
  /** @returns x and y of five landmarks as seen from the anchor's cell, in strides. */
  landmarksOf(anchor: number): ArrayLike<number>;
}

/** The head of a graph that computed everything: rows of numbers, one of each anchor. */
export class ReadHead implements Head {
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

/** The head of a graph that left boxes and landmarks to be computed where they are wanted. */
export class ComputedHead implements Head {
  readonly scores: Float32Array;
  readonly #features: Float32Array;
  readonly #prepared: PreparedHead;
  readonly #columns: number;
  /** Of each row of the map, which of the features' rows it is; -1 for those that are not there. */
  readonly #rows: Int16Array;
  /** What the kernels see around the cell that was looked at last. */
  readonly #patch: Float32Array;
  #patchCell = -1;

  /**
   * @param features channels × rows × columns, of all rows those that were kept.
   * @param kept a number for each row of the map, zero where it was not kept. An anchor that is asked for must have its
   *   row there, and the rows beside it.
   * @param prepared of {@link prepareHead}.
   * @param columns of the map.
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
    this.#patch = new Float32Array(prepared.channels * PLACES);
  }

  boxOf(anchor: number): ArrayLike<number> {
    return this.#convolve(this.#prepared.boxes, anchor, BOX_VALUES);
  }

  landmarksOf(anchor: number): ArrayLike<number> {
    return this.#convolve(this.#prepared.landmarks, anchor, LANDMARK_VALUES);
  }

  #convolve(convolution: DeferredConvolution, anchor: number, values: number): Float32Array {
    const cell = Math.floor(anchor / ANCHORS);
    if (cell !== this.#patchCell) this.#takePatch(cell);
    this.#patchCell = cell;
    return convolve(convolution, (anchor % ANCHORS) * values, values, this.#patch);
  }

  /** Copies what a kernel around a cell sees; zeros beyond the edges of the map. */
  #takePatch(cell: number): void {
    const { channels, order } = this.#prepared;
    const x = cell % this.#columns;
    const y = Math.floor(cell / this.#columns);
    const plane = this.#features.length / channels;
    // Where in a plane each place is, if it is in the map.
    const places = new Int32Array(PLACES);
    for (let place = 0; place < PLACES; place++) {
      const column = x - 1 + (place % KERNEL);
      const row = this.#rows[y - 1 + Math.floor(place / KERNEL)];
      if (row === -1) throw new Error('The detector kept no features of a row with a face.');
      const isInside = row !== undefined && column >= 0 && column < this.#columns;
      places[place] = isInside ? row * this.#columns + column : -1;
    }
    const patch = this.#patch;
    for (let at = 0; at < patch.length; at++) {
      const from = places[order.place[at] as number] as number;
      patch[at] = from < 0 ? 0 : (this.#features[(order.channel[at] as number) * plane + from] as number);
    }
  }
}

/** A deferred head whose weights are in the order in which they are used. */
export interface PreparedHead extends Omit<DeferredHead, 'features' | 'kept'> {
  order: ProductOrder;
}

const KERNEL = 3;
const PLACES = KERNEL * KERNEL;

/**
 * ONNX Runtime adds the products of 16 channels at a time, each place of the kernel's after another, on processors with
 * AVX-512 (microsoft/onnxruntime, core/mlas/lib/snchwc.cpp). In the same order, boxes and landmarks are the same to the
 * last bit nearly always. A landmark that is off by one rounding can move a whole row of the aligned face by a 32nd of a
 * pixel, and the embedding by a cosine of 1 − 1e-6.
 */
const BLOCK = 16;

/** Of which channel and place each product is, in the order in which they are added. */
interface ProductOrder {
  channel: Uint16Array;
  place: Uint8Array;
}

function orderProducts(channels: number): ProductOrder {
  const order = { channel: new Uint16Array(channels * PLACES), place: new Uint8Array(channels * PLACES) };
  let at = 0;
  for (let block = 0; block < channels; block += BLOCK) {
    for (let place = 0; place < PLACES; place++) {
      for (let channel = block; channel < Math.min(block + BLOCK, channels); channel++) {
        order.channel[at] = channel;
        order.place[at++] = place;
      }
    }
  }
  return order;
}

export function prepareHead({ channels, boxes, landmarks }: DeferredHead): PreparedHead {
  const order = orderProducts(channels);
  const length = channels * PLACES;
  const prepare = ({ weights, bias }: DeferredConvolution): DeferredConvolution => {
    const ordered = weights.map((_, index) => {
      const output = Math.floor(index / length);
      const channel = order.channel[index % length] as number;
      const place = order.place[index % length] as number;
      return weights[(output * channels + channel) * PLACES + place] as number;
    });
    return { weights: ordered, bias };
  };
  return { channels, order, boxes: prepare(boxes), landmarks: prepare(landmarks) };
}

/**
 * Some outputs of a convolution, an even number, in single precision: a product and its sum are rounded once, as by the
 * processor's fused multiply-add, but for rare ties. Two at a time, as each sum has to wait for its last addition.
 */
function convolve(
  { weights, bias }: DeferredConvolution,
  firstOutput: number,
  count: number,
  patch: Float32Array,
): Float32Array {
  const sums = new Float32Array(count);
  const { length } = patch;
  for (let block = 0; block < length; block += BLOCK * PLACES) {
    const end = Math.min(block + BLOCK * PLACES, length);
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
