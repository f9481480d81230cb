import {
  type ScoreInputs,
  type ScoreTerms,
  type ScoreWeights,
  scoreQuality,
  scoreTerms,
} from '../../src/vision/quality/quality-score.ts';
import type { QualityMeasure } from './discard-curve.ts';
import type { Weights } from './fit.ts';
import type { MeasuredVersion } from './photos.ts';

export type Measure = QualityMeasure<MeasuredVersion>;

/** The single measures that the score has to beat. */
export const RIVAL_MEASURES = {
  embedding_norm: ({ quality }) => quality.embeddingNorm,
  'detection score': ({ detectionScore }) => detectionScore,
  sharpness: ({ quality }) => quality.sharpness,
} as const satisfies Record<string, Measure>;

/** Each member of the quality as a measure of its own. */
export const SINGLE_MEASURES = {
  ...RIVAL_MEASURES,
  contrast: ({ quality }) => quality.contrast,
  brightness: ({ quality }) => quality.brightness,
  size: ({ quality }) => quality.size,
  'pose (yaw and pitch)': (version) => -angleFromCamera(version),
  margin: ({ quality }) => quality.margin,
} as const satisfies Record<string, Measure>;

/** Terms that were offered to the regression in addition to those of the service. */
const OTHER_TERMS = {
  size: ({ quality }) => Math.log(Math.min(quality.size, 60)),
  pose: (version) => -Math.max(20, angleFromCamera(version)),
  margin: ({ quality }) => quality.margin,
  darkness: ({ quality }) => Math.log(Math.min(quality.brightness, 0.3)),
} as const satisfies Record<string, Measure>;

export type TermName = keyof ScoreTerms | keyof typeof OTHER_TERMS;

/** The sets of terms that were compared for the score. */
export const FORMS = {
  'detection score': ['detectionScore'],
  norm: ['embeddingNorm'],
  'norm, detection score': ['embeddingNorm', 'detectionScore'],
  'norm, detection score, detail': ['embeddingNorm', 'detectionScore', 'detail'],
  'norm, detection score, detail, exposure': ['embeddingNorm', 'detectionScore', 'detail', 'exposure'],
  'these, contrast, size, pose, margin, darkness': [
    'embeddingNorm',
    'detectionScore',
    'detail',
    'exposure',
    'contrast',
    'size',
    'pose',
    'margin',
    'darkness',
  ],
  'without the norm: detection score, detail, contrast, exposure': [
    'detectionScore',
    'detail',
    'contrast',
    'exposure',
  ],
} as const satisfies Record<string, readonly TermName[]>;

/** The forms that the service uses, by the names of its weights. */
export const CHOSEN_FORMS = {
  withNorm: FORMS['norm, detection score, detail, exposure'],
  withoutNorm: FORMS['without the norm: detection score, detail, contrast, exposure'],
};

export function termsOf(version: MeasuredVersion): Record<TermName, number> {
  return {
    ...scoreTerms(scoreInputs(version)),
    size: OTHER_TERMS.size(version),
    pose: OTHER_TERMS.pose(version),
    margin: OTHER_TERMS.margin(version),
    darkness: OTHER_TERMS.darkness(version),
  };
}

/** The service's score with these weights. */
export function scoreWith(weights: ScoreWeights): Measure {
  return (version) => scoreQuality(scoreInputs(version), weights);
}

/** The weighted sum of the terms. It orders versions as the score does, which is its logistic function. */
export function weightedSum({ intercept, ...weights }: Partial<Weights<TermName>>): Measure {
  return (version) => {
    const terms = termsOf(version);
    const entries = Object.entries(weights) as [TermName, number][];
    return entries.reduce((sum, [name, weight]) => sum + weight * terms[name], intercept ?? 0);
  };
}

export function scoreInputs({ quality, detectionScore }: MeasuredVersion): ScoreInputs {
  return { ...quality, detectionScore };
}

/** Degrees between the direction of the face and that of the camera. */
function angleFromCamera({ quality: { pose } }: MeasuredVersion): number {
  const cosine = Math.cos((pose.yaw * Math.PI) / 180) * Math.cos((pose.pitch * Math.PI) / 180);
  return (Math.acos(cosine) * 180) / Math.PI;
}
