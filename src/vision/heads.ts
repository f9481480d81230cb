import type { DeferredConvolution, DeferredHead } from '../models/rewrite/deferred-heads.ts';
import { ANCHORS, BOX_VALUES, LANDMARK_VALUES } from '../models/scrfd.ts';

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
export function readHead(scores: Float32Array, boxes: Float32Array, landmarks: Float32Array): Head {
  const row = (rows: Float32Array, values: number) => (anchor: number) =>
    rows.subarray(anchor * values, (anchor + 1) * values);
  return { scores, boxOf: row(boxes, BOX_VALUES), landmarksOf: row(landmarks, LANDMARK_VALUES) };
}

/**
 * The head of a graph that left boxes and landmarks to be computed where they are wanted.
 *
 * @param features channels × rows × columns.
 */
export function computeHead(
  scores: Float32Array,
  features: Float32Array,
  { channels, boxes, landmarks }: PreparedHead,
  columns: number,
): Head {
  const rows = features.length / channels / columns;
  const patch = new Float32Array(channels * PLACES);
  let patchCell = -1;
  const row = (convolution: DeferredConvolution, values: number) => (anchor: number) => {
    const cell = Math.floor(anchor / ANCHORS);
    if (cell !== patchCell) takePatch(features, { channels, rows, columns, cell }, patch);
    patchCell = cell;
    return convolve(convolution, (anchor % ANCHORS) * values, values, patch);
  };
  return { scores, boxOf: row(boxes, BOX_VALUES), landmarksOf: row(landmarks, LANDMARK_VALUES) };
}

/** A deferred head whose weights are in the order in which they are used. */
export type PreparedHead = Omit<DeferredHead, 'features'>;

const KERNEL = 3;
const PLACES = KERNEL * KERNEL;

/**
 * ONNX Runtime adds the products of 16 channels at a time, each place of the kernel's after another, on processors with
 * AVX-512 (microsoft/onnxruntime, core/mlas/lib/snchwc.cpp). In the same order, boxes and landmarks are the same to the
 * last bit nearly always. A landmark that is off by one rounding can move a whole row of the aligned face by a 32nd of a
 * pixel, and the embedding by a cosine of 1 − 1e-6.
 */
const BLOCK = 16;

/** Calls back for each channel and place, in the order in which their products are added. */
function forEachProduct(channels: number, visit: (channel: number, place: number) => void): void {
  for (let block = 0; block < channels; block += BLOCK) {
    for (let place = 0; place < PLACES; place++) {
      for (let channel = block; channel < Math.min(block + BLOCK, channels); channel++) visit(channel, place);
    }
  }
}

export function prepareHead({ channels, boxes, landmarks }: DeferredHead): PreparedHead {
  const prepare = ({ weights, bias }: DeferredConvolution): DeferredConvolution => {
    const ordered = new Float32Array(weights.length);
    let at = 0;
    for (let output = 0; output < bias.length; output++) {
      forEachProduct(channels, (channel, place) => {
        ordered[at++] = weights[(output * channels + channel) * PLACES + place] as number;
      });
    }
    return { weights: ordered, bias };
  };
  return { channels, boxes: prepare(boxes), landmarks: prepare(landmarks) };
}

/** Copies what a kernel around a cell sees; zeros beyond the edges. */
function takePatch(
  features: Float32Array,
  { channels, rows, columns, cell }: { channels: number; rows: number; columns: number; cell: number },
  patch: Float32Array,
): void {
  const x = cell % columns;
  const y = Math.floor(cell / columns);
  const plane = rows * columns;
  // Where in a plane each place is, if it is there.
  const places = Array.from({ length: PLACES }, (_, place) => {
    const column = x - 1 + (place % KERNEL);
    const row = y - 1 + Math.floor(place / KERNEL);
    return row >= 0 && row < rows && column >= 0 && column < columns ? row * columns + column : -1;
  });
  let at = 0;
  forEachProduct(channels, (channel, place) => {
    const from = places[place] as number;
    patch[at++] = from < 0 ? 0 : (features[channel * plane + from] as number);
  });
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
  return sums.map((sum, output) => sum + (bias[firstOutput + output] as number));
}
