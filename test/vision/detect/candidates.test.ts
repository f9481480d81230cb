import { describe, expect, it } from 'vitest';
import {
  type Candidate,
  collectCandidates,
  dropWorst,
  type FeatureMap,
} from '../../../src/vision/detect/candidates.ts';
import { seededRandom } from '../../support/numbers.ts';

/** A feature map with these scores, whose boxes tell the anchor, and how many boxes were computed. */
function mapOf(scores: Float32Array): FeatureMap & { computed: number } {
  const map = {
    computed: 0,
    scores,
    boxOf(anchor: number) {
      map.computed++;
      return { left: 0, top: 0, right: anchor, bottom: 0 };
    },
    landmarksOf: () => new Float32Array(10),
  };
  return map;
}

const random = seededRandom(1);
/** Below those that are sure, unless they are given. */
const scoresOf = (count: number, value = () => random() / 2) => Float32Array.from({ length: count }, value);

function collect(maps: FeatureMap[], threshold: number, limit: number): Candidate[] {
  const candidates: Candidate[] = [];
  collectCandidates(maps, threshold, limit, candidates);
  return candidates;
}

describe('candidates of the detector', () => {
  it('are all that reach the threshold, map by map', () => {
    const maps = [mapOf(Float32Array.of(0.5, 0.4, 0.6)), mapOf(Float32Array.of(0.3, 0.9))];
    const found = collect(maps, Math.fround(0.4), 10);
    expect(found.map(({ score }) => score)).toEqual([0.5, 0.4, 0.6, 0.9].map(Math.fround));
  });

  it.each([0, 0.1])('are the best of those that reach %f, when they are more than the limit', (threshold) => {
    const maps = [mapOf(scoresOf(1000)), mapOf(scoresOf(300)), mapOf(scoresOf(100))];
    const all = maps.flatMap(({ scores }) => [...scores]).filter((score) => score >= threshold);
    const best = all.toSorted((a, b) => b - a).slice(0, 200);
    const found = collect(maps, threshold, 200).map(({ score }) => score);
    expect(found.toSorted((a, b) => b - a)).toEqual(best);
    // In their order, which decides between equal scores.
    expect(found).toEqual(all.filter((score) => score >= (best.at(-1) as number)));
  });

  it('are all of those that are sure, whatever their number', () => {
    const map = mapOf(scoresOf(500, () => 0.3 + random() / 2));
    const sure = [...map.scores].filter((score) => score >= 0.5);
    expect(sure.length).toBeGreaterThan(200);
    const found = collect([map], 0, 100).sort((a, b) => b.score - a.score);
    expect(found.map(({ score }) => score).toSorted()).toEqual(sure.toSorted());
    dropWorst(found, 100);
    expect(found).toHaveLength(sure.length);
    const strict = collect([map], 0.7, 100);
    expect(strict.map(({ score }) => score)).toEqual([...map.scores].filter((score) => score >= 0.7));
  });

  it('beyond the limit are dropped, the worst first', () => {
    const candidates = collect([mapOf(Float32Array.of(0.4, 0.3, 0.2, 0.1))], 0, 10);
    dropWorst(candidates, 2);
    expect(candidates.map(({ score }) => score)).toEqual([0.4, 0.3].map(Math.fround));
  });

  it('are added to those of another input size', () => {
    const candidates = collect([mapOf(scoresOf(10))], 0, 20);
    collectCandidates([mapOf(scoresOf(100))], 0, 20, candidates);
    expect(candidates).toHaveLength(30);
  });

  it('include none whose score is not a number, and all of equal scores', () => {
    expect(collect([mapOf(Float32Array.of(Number.NaN, 0, Number.NaN))], 0, 1)).toHaveLength(1);
    expect(collect([mapOf(scoresOf(500, () => 0))], 0, 100)).toHaveLength(500);
  });

  it('have their boxes computed once, when they are asked for', () => {
    const map = mapOf(scoresOf(100));
    const [first, second] = collect([map], 0, 200);
    expect(map.computed).toBe(0);
    expect([first?.box.right, first?.box.right, second?.box.right]).toEqual([0, 0, 1]);
    expect(map.computed).toBe(2);
  });
});
