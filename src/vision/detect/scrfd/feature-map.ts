import { ANCHORS, LANDMARK_VALUES } from '../../../onnx/scrfd-outputs.ts';
import type { FeatureMap } from '../candidates.ts';
import type { BoundingBox, Landmarks } from '../face.ts';
import type { Head } from './heads.ts';

/** Where the cells of a feature map lie. */
interface Grid {
  /** Input pixels per cell. */
  stride: number;
  /** Cells in a row. */
  columns: number;
  /** Input pixels per picture pixel. */
  scale: number;
}

/** One of SCRFD's feature maps, with the outputs of its anchors. */
export class ScrfdMap implements FeatureMap {
  readonly scores: Float32Array;
  readonly #head: Head;
  readonly #grid: Grid;

  constructor(head: Head, grid: Grid) {
    this.scores = head.scores;
    this.#head = head;
    this.#grid = grid;
  }

  boxOf(anchor: number): BoundingBox {
    const { stride, scale } = this.#grid;
    const { x, y } = this.#cornerOf(anchor);
    const { 0: left = 0, 1: top = 0, 2: right = 0, 3: bottom = 0 } = this.#head.boxOf(anchor);
    return {
      left: (x - left * stride) / scale,
      top: (y - top * stride) / scale,
      right: (x + right * stride) / scale,
      bottom: (y + bottom * stride) / scale,
    };
  }

  landmarksOf(anchor: number): Landmarks {
    const { stride, scale } = this.#grid;
    const { x, y } = this.#cornerOf(anchor);
    const distances = this.#head.landmarksOf(anchor);
    const landmarks = new Float32Array(LANDMARK_VALUES);
    for (let i = 0; i < LANDMARK_VALUES; i++) {
      landmarks[i] = ((i % 2 === 0 ? x : y) + (distances[i] as number) * stride) / scale;
    }
    return landmarks;
  }

  /** The top left corner of the anchor's cell, in input pixels. SCRFD's distances count from it, without a half-cell offset. */
  #cornerOf(anchor: number): { x: number; y: number } {
    const { stride, columns } = this.#grid;
    const cell = Math.floor(anchor / ANCHORS);
    return { x: (cell % columns) * stride, y: Math.floor(cell / columns) * stride };
  }
}
