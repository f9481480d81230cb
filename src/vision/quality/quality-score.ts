import { type PictureQuality, SHARPNESS_SCALE } from './quality.ts';

/** What the score is made of; a face's detection score is part of it. */
export interface ScoredMembers extends Pick<PictureQuality, 'brightness' | 'contrast' | 'sharpness'> {
  /** 0..1. */
  detectionScore: number;
  /** L2 norm of the embedding before it is normalised. */
  embeddingNorm: number;
}

/**
 * The members as the score adds them up. Each grows with quality, and each ends where more of it was found to make no
 * difference.
 */
export interface ScoreTerms {
  embeddingNorm: number;
  detectionScore: number;
  /** Logarithm of the fine structure a face has for its contrast: lost by blur, not by poor light. */
  detail: number;
  /** Logarithm of the contrast. */
  contrast: number;
  /** Brightness beyond what is good, as a negative number. */
  exposure: number;
}

export type ScoreWeights = Readonly<Record<keyof ScoreTerms | 'intercept', number>>;

/** Variance of the Laplacian for a variance of the luma of 1: where blur begins to be seen, and where nothing is left. */
const ENOUGH_DETAIL = 0.02;
const LEAST_DETAIL = 0.001;
/** The contrast of a well-lit face, and a single grey level's. */
const ENOUGH_CONTRAST = 0.2;
const LEAST_CONTRAST = 1 / 255;
/** Brightness above which skin loses its structure. */
const BRIGHT = 0.7;

/**
 * The weights of the terms, from `npm run study:quality` (docs/QUALITY.md): a logistic regression, with no weight
 * below zero, of whether a degraded photograph still matches a good one of the same person. Half of the persons chose
 * them, the other half judged.
 */
export const SCORE_WEIGHTS = {
  /** For recognisers whose norms the study has seen. Contrast says nothing that the norm does not say better. */
  withNorm: {
    intercept: -5.95,
    embeddingNorm: 0.383,
    detectionScore: 5.38,
    detail: 0.887,
    contrast: 0,
    exposure: 7,
  },
  /** For all others: the norm's scale differs from network to network. */
  withoutNorm: {
    intercept: -2.35,
    embeddingNorm: 0,
    detectionScore: 12.4,
    detail: 1.07,
    contrast: 0.59,
    exposure: 4.57,
  },
} as const satisfies Record<string, ScoreWeights>;

/** SHA-256 of the recognisers whose norms were measured: w600k_mbf as published, and the copy that the study used. */
const RECOGNISERS_WITH_KNOWN_NORM = new Set([
  '9cc6e4a75f0e2bf0b1aed94578f144d15175f357bdc05e815e5c4a02b319eb4f',
  '97047bffd88f3bd7dda61535a2792d29a8e93ee95e2f7a7fb9aa83f98dad010f',
]);

/** @param recogniserSha256 lower-case hex, of the recogniser's file. */
export function scoreWeightsFor(recogniserSha256: string): ScoreWeights {
  return SCORE_WEIGHTS[RECOGNISERS_WITH_KNOWN_NORM.has(recogniserSha256) ? 'withNorm' : 'withoutNorm'];
}

/**
 * One number for a gate, 0..1: the estimated probability that this face matches a good photograph of the same person
 * at a threshold that one stranger in a thousand passes.
 */
export function scoreQuality(members: ScoredMembers, weights: ScoreWeights): number {
  const terms = scoreTerms(members);
  const sum = (Object.keys(terms) as (keyof ScoreTerms)[]).reduce(
    (total, name) => total + weights[name] * terms[name],
    weights.intercept,
  );
  return 1 / (1 + Math.exp(-sum));
}

export function scoreTerms(members: ScoredMembers): ScoreTerms {
  return {
    embeddingNorm: members.embeddingNorm,
    detectionScore: members.detectionScore,
    detail: Math.log(clamp(relativeDetail(members), LEAST_DETAIL, ENOUGH_DETAIL)),
    contrast: Math.log(clamp(members.contrast, LEAST_CONTRAST, ENOUGH_CONTRAST)),
    exposure: -Math.max(0, members.brightness - BRIGHT),
  };
}

/**
 * The variance of the Laplacian as a share of that of the luma: sharpness without what contrast does to it. About 0.06
 * for a sharp face of 112 pixels, 0.003 for one blurred by a Gaussian of 3 pixels.
 */
export function relativeDetail({
  sharpness,
  contrast,
}: Pick<PictureQuality, 'sharpness' | 'contrast'>): number {
  // Sharpness as a double is 1 from a variance of some 3,600 on, which no contrast can make little of.
  const laplacian = -SHARPNESS_SCALE * Math.log(1 - sharpness);
  const luma = (255 * contrast) ** 2;
  return luma > 0 ? laplacian / luma : 0;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
