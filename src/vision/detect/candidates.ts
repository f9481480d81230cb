import { ANCHORS, LANDMARK_VALUES } from '../../onnx/scrfd-outputs.ts';
import type { BoundingBox, FaceBox, Landmarks } from './face.ts';
import type { Head } from './heads.ts';

/** One of SCRFD's feature maps, with the outputs of its anchors. */
export interface FeatureMap {
  head: Head;
  /** Input pixels per cell. */
  stride: number;
  /** Cells in a row. */
  columns: number;
  /** Input pixels per picture pixel. */
  scale: number;
}

/** An anchor whose score reaches the threshold. */
export interface Candidate extends FaceBox {
  map: FeatureMap;
  anchor: number;
}

export function collectCandidates(map: FeatureMap, threshold: number, candidates: Candidate[]): void {
  const { scores } = map.head;
  // Nearly all anchors fail here: an allocation in this loop would cost more than the faces.
  for (let anchor = 0; anchor < scores.length; anchor++) {
    const score = scores[anchor] as number;
    if (score >= threshold) candidates.push({ score, box: boxOf(map, anchor), map, anchor });
  }
}

export function landmarksOf({ map, anchor }: Candidate): Landmarks {
  const { head, stride, scale } = map;
  const { x, y } = cornerOf(map, anchor);
  const distances = head.landmarksOf(anchor);
  const landmarks = new Float32Array(LANDMARK_VALUES);
  for (let i = 0; i < LANDMARK_VALUES; i++) {
    landmarks[i] = ((i % 2 === 0 ? x : y) + (distances[i] as number) * stride) / scale;
  }
  return landmarks;
}

function boxOf(map: FeatureMap, anchor: number): BoundingBox {
  const { head, stride, scale } = map;
  const { x, y } = cornerOf(map, anchor);
  const { 0: left = 0, 1: top = 0, 2: right = 0, 3: bottom = 0 } = head.boxOf(anchor);
  return {
    left: (x - left * stride) / scale,
    top: (y - top * stride) / scale,
    right: (x + right * stride) / scale,
    bottom: (y + bottom * stride) / scale,
  };
}

/** The top left corner of the anchor's cell, in input pixels. SCRFD's distances count from it, without a half-cell offset. */
function cornerOf({ stride, columns }: FeatureMap, anchor: number): { x: number; y: number } {
  const cell = Math.floor(anchor / ANCHORS);
  return { x: (cell % columns) * stride, y: Math.floor(cell / columns) * stride };
}
