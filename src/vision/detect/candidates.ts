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

/**
 * Maximum candidates of a picture, best scores first. At a threshold near 0 every anchor is one, and suppression would take seconds.
 * Ordinary photographs have up to a thousand at a threshold of 0.02.
 */
export const MAX_CANDIDATES = 1_500;

/** Candidates of at least this score, the default threshold, are kept whatever their number: each face of a crowd has six. */
const SURE_SCORE = 0.5;

/** An anchor whose score reaches the threshold. */
export class Candidate implements FaceBox {
  readonly score: number;
  readonly #map: FeatureMap;
  readonly #anchor: number;
  #box: BoundingBox | undefined;

  constructor(score: number, map: FeatureMap, anchor: number) {
    this.score = score;
    this.#map = map;
    this.#anchor = anchor;
  }

  /** Computed when it is asked for: of thousands of candidates, suppression does not reach all. */
  get box(): BoundingBox {
    this.#box ??= boxOf(this.#map, this.#anchor);
    return this.#box;
  }

  get landmarks(): Landmarks {
    return landmarksOf(this.#map, this.#anchor);
  }
}

/**
 * Adds the anchors of one input size whose scores reach the threshold. If they are more than `limit`, only the best are added, and
 * those that are sure; of equal scores at the limit, all.
 */
export function collectCandidates(
  maps: readonly FeatureMap[],
  threshold: number,
  limit: number,
  candidates: Candidate[],
): void {
  const before = candidates.length;
  for (const map of maps) {
    const { scores } = map.head;
    // Nearly all anchors fail here: an allocation in this loop would cost more than the faces.
    for (let anchor = 0; anchor < scores.length; anchor++) {
      const score = scores[anchor] as number;
      if (!(score >= threshold)) continue;
      if (candidates.length - before === limit) {
        candidates.length = before;
        const lowest = Math.min(findLowestOfBest(maps, threshold, limit), SURE_SCORE);
        collectCandidates(maps, Math.max(threshold, lowest), Number.POSITIVE_INFINITY, candidates);
        return;
      }
      candidates.push(new Candidate(score, map, anchor));
    }
  }
}

/**
 * Drops the worst candidates beyond `limit`, unless they are sure.
 *
 * @param candidates best score first.
 */
export function dropWorst(candidates: Candidate[], limit: number): void {
  while (candidates.length > limit && (candidates.at(-1) as Candidate).score < SURE_SCORE) candidates.pop();
}

/** The lowest of the best scores, of which there are more than `count`. */
function findLowestOfBest(maps: readonly FeatureMap[], threshold: number, count: number): number {
  const scores = new Float32Array(maps.reduce((sum, { head }) => sum + head.scores.length, 0));
  let found = 0;
  for (const { head } of maps) {
    for (const score of head.scores) if (score >= threshold) scores[found++] = score;
  }
  return scores.subarray(0, found).sort()[found - count] as number;
}

function landmarksOf(map: FeatureMap, anchor: number): Landmarks {
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
