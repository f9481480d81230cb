import { type ModelPack, STANDARD_DETECTOR } from '../../packs/pack.ts';
import { type PictureQuality, SHARPNESS_SCALE } from './quality.ts';

/** The measures that the score is computed from. */
export interface ScoreInputs extends Pick<PictureQuality, 'brightness' | 'contrast' | 'sharpness'> {
  /** 0..1. */
  detectionScore: number;
  /** L2 norm of the embedding before it is normalised. */
  embeddingNorm: number;
}

/**
 * The terms that the score adds up. Each grows with quality, up to the point where the study found that more makes no
 * difference.
 */
export interface ScoreTerms {
  embeddingNorm: number;
  detectionScore: number;
  /** Logarithm of the fine structure relative to contrast, which blur reduces and poor light does not. */
  detail: number;
  /** Logarithm of the contrast. */
  contrast: number;
  /** Excess brightness, as a negative number. */
  exposure: number;
}

export type ScoreWeights = Readonly<Record<keyof ScoreTerms | 'intercept', number>>;

/** Relative detail at which blur becomes visible, and at which none is left. */
const SUFFICIENT_DETAIL = 0.02;
const MIN_DETAIL = 0.001;
/** The contrast of a well-lit face, and that of a single grey level. */
const SUFFICIENT_CONTRAST = 0.2;
const MIN_CONTRAST = 1 / 255;
/** Brightness above which skin loses its structure. */
const BRIGHT = 0.7;

/**
 * The weights of the terms, from `npm run study:quality` (docs/QUALITY.md): a logistic regression, with no negative weight,
 * of whether a degraded photograph still matches a good one of the same person. It was fitted on half of the persons and
 * evaluated on the other half.
 */
export const SCORE_WEIGHTS = {
  /** For recognisers whose norms the study measured. Contrast adds nothing to the norm. */
  withNorm: {
    intercept: -5.95,
    embeddingNorm: 0.383,
    detectionScore: 5.38,
    detail: 0.887,
    contrast: 0,
    exposure: 7,
  },
  /** For all other recognisers, since the norm's scale differs between networks. */
  withoutNorm: {
    intercept: -2.35,
    embeddingNorm: 0,
    detectionScore: 12.4,
    detail: 1.07,
    contrast: 0.59,
    exposure: 4.57,
  },
} as const satisfies Record<string, ScoreWeights>;

/**
 * How likely a face of this brightness is not taken for a stranger's that is as dark: the logistic function of a line in the
 * logarithm of the brightness, from the same study. It limits the score, since a dark face may well match a good photograph of
 * its person and yet match most strangers in the dark. At a brightness of 0.15, where a face begins to be too dark, it is 0.997.
 */
export const DISTINCTNESS = { intercept: 12.2, logBrightness: 3.43 } as const;

/** The brightness of a single grey level; the logarithm of 0 is none. */
const MIN_BRIGHTNESS = 1 / 255;

/** SHA-256 of the recognisers whose norms were measured: w600k_mbf as published, and the copy that the study used. */
const RECOGNISERS_WITH_KNOWN_NORM = new Set([
  '9cc6e4a75f0e2bf0b1aed94578f144d15175f357bdc05e815e5c4a02b319eb4f',
  '97047bffd88f3bd7dda61535a2792d29a8e93ee95e2f7a7fb9aa83f98dad010f',
]);

/** @param recogniserSha256 of the recogniser's file, lower-case hex. */
export function scoreWeightsFor(recogniserSha256: string): ScoreWeights {
  return SCORE_WEIGHTS[RECOGNISERS_WITH_KNOWN_NORM.has(recogniserSha256) ? 'withNorm' : 'withoutNorm'];
}

/**
 * What the quality score of a pack was measured with. `measured`: with its own recogniser, and a detector of the same family.
 * `transferred`: with other networks; it orders faces, but is no probability.
 */
export const QUALITY_EVIDENCE = ['measured', 'transferred'] as const;

export function qualityEvidenceOf({
  detector,
  recogniser,
}: Pick<ModelPack, 'detector' | 'recogniser'>): (typeof QUALITY_EVIDENCE)[number] {
  const isMeasured =
    RECOGNISERS_WITH_KNOWN_NORM.has(recogniser.sha256) && detector.family === STANDARD_DETECTOR.family;
  return isMeasured ? 'measured' : 'transferred';
}

/**
 * The quality score, 0..1: the estimated probability that this face matches a good photograph of the same person at a
 * threshold that one stranger in a thousand passes; or, if that is lower, that it does not match a stranger as dark.
 */
export function scoreQuality(inputs: ScoreInputs, weights: ScoreWeights): number {
  const terms = scoreTerms(inputs);
  const sum = (Object.keys(terms) as (keyof ScoreTerms)[]).reduce(
    (total, name) => total + weights[name] * terms[name],
    weights.intercept,
  );
  return 1 / (1 + Math.exp(-Math.min(sum, distinctness(inputs))));
}

/** The logit of the probability of {@link DISTINCTNESS}. */
export function distinctness(
  { brightness }: Pick<ScoreInputs, 'brightness'>,
  { intercept, logBrightness }: { intercept: number; logBrightness: number } = DISTINCTNESS,
): number {
  return intercept + logBrightness * Math.log(Math.max(MIN_BRIGHTNESS, brightness));
}

export function scoreTerms(inputs: ScoreInputs): ScoreTerms {
  return {
    embeddingNorm: inputs.embeddingNorm,
    detectionScore: inputs.detectionScore,
    detail: Math.log(clamp(relativeDetail(inputs), MIN_DETAIL, SUFFICIENT_DETAIL)),
    contrast: Math.log(clamp(inputs.contrast, MIN_CONTRAST, SUFFICIENT_CONTRAST)),
    exposure: -Math.max(0, inputs.brightness - BRIGHT),
  };
}

/**
 * The variance of the Laplacian divided by that of the luma: sharpness independent of contrast. About 0.06 for a sharp face of
 * 112 pixels, 0.003 for one blurred by a Gaussian of 3 pixels.
 */
export function relativeDetail({
  sharpness,
  contrast,
}: Pick<PictureQuality, 'sharpness' | 'contrast'>): number {
  // From a Laplacian variance of about 3,600 on, sharpness rounds to 1 and this is infinite; at any contrast, that is sharp.
  const laplacian = -SHARPNESS_SCALE * Math.log(1 - sharpness);
  const luma = (255 * contrast) ** 2;
  return luma > 0 ? laplacian / luma : 0;
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}
