/** Every single measure of a version, turned so that more is better. */
export const SINGLE_MEASURES = {
  embedding_norm: ({ quality }) => quality.embeddingNorm,
  'detection score': ({ detectionScore }) => detectionScore,
  sharpness: ({ quality }) => quality.sharpness,
  contrast: ({ quality }) => quality.contrast,
  brightness: ({ quality }) => quality.brightness,
  size: ({ quality }) => quality.size,
  'pose (yaw and pitch)': ({ quality }) => -angleFromCamera(quality.pose),
  margin: ({ quality }) => quality.margin,
};

/** The rivals that the score has to beat. */
export const RIVALS = ['embedding_norm', 'detection score', 'sharpness'];

/** Terms that were offered to the regression beside those of the service. */
export const OTHER_TERMS = {
  size: ({ quality }) => Math.log(Math.min(quality.size, 60)),
  pose: ({ quality }) => -Math.max(20, angleFromCamera(quality.pose)),
  margin: ({ quality }) => quality.margin,
  darkness: ({ quality }) => Math.log(Math.min(quality.brightness, 0.3)),
};

/** What the regression chose from: which terms make the score. */
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
    ...Object.keys(OTHER_TERMS),
  ],
  'without the norm: detection score, detail, contrast, exposure': [
    'detectionScore',
    'detail',
    'contrast',
    'exposure',
  ],
};

/** The forms that became the service's, by the names of its weights. */
export const CHOSEN = {
  withNorm: FORMS['norm, detection score, detail, exposure'],
  withoutNorm: FORMS['without the norm: detection score, detail, contrast, exposure'],
};

function angleFromCamera({ yaw, pitch }) {
  const cosine = Math.cos((yaw * Math.PI) / 180) * Math.cos((pitch * Math.PI) / 180);
  return (Math.acos(cosine) * 180) / Math.PI;
}
