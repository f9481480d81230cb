/** For a pipeline without an engine: every face of a picture. */
export const ALL_FACES = {
  selection: 'all',
  detection: 'full',
  detectionThreshold: 0.5,
  maxFaces: 100,
  maxPixels: 10_000_000,
} as const;
