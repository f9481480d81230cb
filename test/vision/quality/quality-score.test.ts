import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CATALOGUE } from '../../../src/packs/catalogue.ts';
import { QUALITY_REASONS, REASON_CODES } from '../../../src/vision/quality/quality-gate.ts';
import {
  relativeDetail,
  SCORE_WEIGHTS,
  type ScoreInputs,
  type ScoreWeights,
  scoreQuality,
  scoreWeightsFor,
} from '../../../src/vision/quality/quality-score.ts';
import { renderWeights } from '../../../study/quality/report.ts';
import { seededRandom } from '../../support/numbers.ts';
import { ROOT } from '../../support/shared.ts';

const GOOD: ScoreInputs = {
  brightness: 0.5,
  contrast: 0.2,
  sharpness: 0.8,
  detectionScore: 0.87,
  embeddingNorm: 23,
};
const { withNorm, withoutNorm } = SCORE_WEIGHTS;

describe('the quality score', () => {
  it('is the logistic function of the weighted terms', () => {
    // The terms of detail and exposure are at their limits: sharp, and not too bright.
    const sum = -5.95 + 0.383 * 23 + 5.38 * 0.87 + 0.887 * Math.log(0.02);
    expect(scoreQuality(GOOD, withNorm)).toBeCloseTo(1 / (1 + Math.exp(-sum)), 10);
  });

  it.each([
    ['embeddingNorm', 1],
    ['detectionScore', 0.05],
    ['sharpness', 0.05],
    ['brightness', -0.1],
  ] as const)('never falls when %s improves', (member, step) => {
    const random = seededRandom(5);
    for (let round = 0; round < 300; round++) {
      const members = {
        // Less is better for what is too bright only; the darkest have a test of their own.
        brightness: 0.25 + 0.75 * random(),
        contrast: 0.5 * random(),
        sharpness: 0.9 * random(),
        detectionScore: random(),
        embeddingNorm: 30 * random(),
      };
      const better = { ...members, [member]: Math.max(0, members[member] + step) };
      for (const weights of [withNorm, withoutNorm]) {
        expect(scoreQuality(better, weights)).toBeGreaterThanOrEqual(scoreQuality(members, weights));
      }
    }
  });

  it('is limited by darkness: the more, the darker, and with any weights', () => {
    // Strangers as dark resemble a face, however well it matches its person.
    const scoreAt = (brightness: number, weights: ScoreWeights) =>
      scoreQuality({ ...GOOD, brightness, embeddingNorm: 40, detectionScore: 1 }, weights);
    for (const weights of [withNorm, withoutNorm]) {
      const scores = [0, 0.01, 0.02, 0.03, 0.045, 0.06].map((brightness) => scoreAt(brightness, weights));
      expect(scores).toEqual(scores.toSorted((p, q) => p - q));
      expect(scoreAt(0.03, weights)).toBeCloseTo(1 / (1 + Math.exp(-(12.2 + 3.43 * Math.log(0.03)))), 10);
      expect(scoreAt(0.04, weights)).toBeLessThan(0.8);
    }
    // A face that is not too dark is not limited below what a good face has.
    expect(scoreAt(0.15, withNorm)).toBeGreaterThan(0.99);
    expect(scoreQuality({ ...GOOD, brightness: 0.15 }, withNorm)).toBe(scoreQuality(GOOD, withNorm));
  });

  it.each([
    ['a weaker embedding', { embeddingNorm: 15 }],
    ['a doubtful detection', { detectionScore: 0.6 }],
    ['blur', { sharpness: 0.05 }],
    ['over-exposure', { brightness: 0.85 }],
  ])('falls with %s', (_name, worse) => {
    expect(scoreQuality({ ...GOOD, ...worse }, withNorm)).toBeLessThan(scoreQuality(GOOD, withNorm) - 0.005);
  });

  it('does not mistake a dark picture for a blurred one', () => {
    // A tenth of the light: a tenth of the contrast, a hundredth of the Laplacian's variance.
    const dark = { contrast: GOOD.contrast / 10, sharpness: 1 - (1 - GOOD.sharpness) ** 0.01 };
    expect(relativeDetail(dark)).toBeCloseTo(relativeDetail(GOOD), 10);
  });

  it('is between 0 and 1 for extreme measures', () => {
    const extremes = [0, 1];
    for (const brightness of extremes) {
      for (const contrast of [0, 0.5]) {
        for (const sharpness of extremes) {
          for (const embeddingNorm of [1e-6, 1e4]) {
            const members = { brightness, contrast, sharpness, embeddingNorm, detectionScore: 0.5 };
            for (const weights of [withNorm, withoutNorm]) {
              expect(scoreQuality(members, weights)).toBeGreaterThanOrEqual(0);
              expect(scoreQuality(members, weights)).toBeLessThanOrEqual(1);
            }
          }
        }
      }
    }
  });

  it('uses the norm only for recognisers with a known scale', () => {
    const recogniser = (pack: string) => CATALOGUE.get(pack)?.recogniser.sha256 ?? '';
    expect(scoreWeightsFor(recogniser('buffalo_sc'))).toBe(withNorm);
    expect(scoreWeightsFor(recogniser('buffalo_l'))).toBe(withoutNorm);
    expect(withoutNorm.embeddingNorm).toBe(0);
  });
});

describe('docs/QUALITY.md', () => {
  const document = readFileSync(join(ROOT, 'docs/QUALITY.md'), 'utf8');

  it('states the weights that the service uses', async () => {
    expect(document).toContain(renderWeights(SCORE_WEIGHTS));
  });

  it('lists all reasons of a refusal, with their codes', () => {
    for (const reason of QUALITY_REASONS) {
      expect(document).toContain(`\n| ${reason} | \`${REASON_CODES[reason]}\` | `);
    }
  });
});
