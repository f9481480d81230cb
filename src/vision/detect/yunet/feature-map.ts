import { YUNET_BOX_VALUES, YUNET_LANDMARK_VALUES } from '../../../onnx/yunet-outputs.ts';
import type { FeatureMap } from '../candidates.ts';
import type { BoundingBox, Landmarks } from '../face.ts';

/** The outputs of one stride. Each has a row for each cell, row by row of the feature map. */
export interface YunetOutputs {
  /** How sure the network is that what it sees is a face, 0..1. */
  cls: Float32Array;
  /** How sure the network is that it sees something in the cell, 0..1. */
  obj: Float32Array;
  /** Centre of the box relative to the cell and logarithm of its size, both in strides: x, y, width, height. */
  bbox: Float32Array;
  /** Five points relative to the cell, in strides. */
  kps: Float32Array;
}

/** Where the cells of a feature map lie. */
interface Grid {
  /** Input pixels per cell. */
  stride: number;
  /** Cells in a row. */
  columns: number;
  /** Input pixels per picture pixel. */
  scale: number;
}

/** One of YuNet's feature maps. Source of the decoding: opencv, modules/objdetect/src/face_detect.cpp. */
export class YunetMap implements FeatureMap {
  readonly scores: Float32Array;
  readonly #outputs: YunetOutputs;
  readonly #grid: Grid;

  constructor(outputs: YunetOutputs, grid: Grid) {
    this.scores = yunetScores(outputs);
    this.#outputs = outputs;
    this.#grid = grid;
  }

  boxOf(cell: number): BoundingBox {
    const { stride, columns, scale } = this.#grid;
    const { bbox } = this.#outputs;
    const at = cell * YUNET_BOX_VALUES;
    const x = ((cell % columns) + (bbox[at] as number)) * stride;
    const y = (Math.floor(cell / columns) + (bbox[at + 1] as number)) * stride;
    const width = Math.exp(bbox[at + 2] as number) * stride;
    const height = Math.exp(bbox[at + 3] as number) * stride;
    return {
      left: (x - width / 2) / scale,
      top: (y - height / 2) / scale,
      right: (x + width / 2) / scale,
      bottom: (y + height / 2) / scale,
    };
  }

  landmarksOf(cell: number): Landmarks {
    const { stride, columns, scale } = this.#grid;
    const { kps } = this.#outputs;
    const corner = [cell % columns, Math.floor(cell / columns)] as const;
    const landmarks = new Float32Array(YUNET_LANDMARK_VALUES);
    for (let i = 0; i < YUNET_LANDMARK_VALUES; i++) {
      const offset = kps[cell * YUNET_LANDMARK_VALUES + i] as number;
      landmarks[i] = ((offset + (i % 2 === 0 ? corner[0] : corner[1])) * stride) / scale;
    }
    return landmarks;
  }
}

/** The scores of all cells: the geometric mean of both outputs, each clamped to 0..1. */
export function yunetScores({ cls, obj }: Pick<YunetOutputs, 'cls' | 'obj'>): Float32Array {
  const scores = new Float32Array(cls.length);
  for (let cell = 0; cell < scores.length; cell++) {
    const face = Math.min(Math.max(cls[cell] as number, 0), 1);
    const object = Math.min(Math.max(obj[cell] as number, 0), 1);
    scores[cell] = Math.sqrt(face * object);
  }
  return scores;
}
