import type { BoundingBox, FaceBox, Landmarks } from './face.ts';

/** What a detector says about the anchors of one stride: the places, numbered row by row, where it looks for a face. */
export interface FeatureMap {
  /** One for each anchor, 0..1. */
  readonly scores: Float32Array;
  /** @returns the box in pixels of the picture. */
  boxOf(anchor: number): BoundingBox;
  /** @returns the landmarks in pixels of the picture. */
  landmarksOf(anchor: number): Landmarks;
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
    this.#box ??= this.#map.boxOf(this.#anchor);
    return this.#box;
  }

  get landmarks(): Landmarks {
    return this.#map.landmarksOf(this.#anchor);
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
    const { scores } = map;
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
  const scores = new Float32Array(maps.reduce((sum, map) => sum + map.scores.length, 0));
  let found = 0;
  for (const map of maps) {
    for (const score of map.scores) if (score >= threshold) scores[found++] = score;
  }
  return scores.subarray(0, found).sort()[found - count] as number;
}
