import { z } from '@hono/zod-openapi';
import type { FaceQuality, PictureQuality } from '../vision/quality/quality.ts';
import { QUALITY_REASONS } from '../vision/quality/quality-gate.ts';

/** More would be noise. */
const DIGITS = 4;

const share = z.number().min(0).max(1);
const degrees = z.number();

const qualityShape = {
  brightness: share.openapi({ description: 'Mean luma of the aligned face.', example: 0.47 }),
  contrast: share.openapi({ description: 'Standard deviation of the luma.', example: 0.19 }),
  sharpness: share.openapi({
    description: '`1 − exp(−v / 100)`, where v is the variance of the Laplacian of the aligned face in grey.',
    example: 0.83,
  }),
  size: z
    .number()
    .openapi({ description: 'Shorter side of the box, in pixels of the picture.', example: 96.4 }),
  pose: z
    .object({
      roll: degrees.openapi({
        description: 'Slope of the line of the eyes; positive when it leans clockwise.',
      }),
      yaw: degrees.openapi({ description: 'Positive when the nose points to the right of the picture.' }),
      pitch: degrees.openapi({ description: 'Positive when the nose points up.' }),
    })
    .openapi({ description: 'In degrees. Yaw and pitch are estimates from five points, good to about ten.' }),
  margin: share.openapi({
    description: 'Share of the aligned face that lies inside the picture.',
    example: 1,
  }),
};

/** Also met in `low_quality`, and joined by commas in the detail of `LOW_QUALITY`. */
export const lowQualitySchema = z.array(z.enum(QUALITY_REASONS)).min(1).openapi({
  description: 'What was low, worst first, in words that can be shown to the owner of the face.',
});

export const qualitySchema = z
  .object({
    ...qualityShape,
    embedding_norm: z.number().openapi({
      description:
        'L2 norm of the embedding before it is normalised. It falls with recognisability; its scale is that of the recogniser.',
      example: 22.1,
    }),
    score: share.openapi({
      description:
        'One number for a gate: the estimated probability that this face matches a good photograph of the same person. ' +
        'How it was chosen, and what it is worth: docs/QUALITY.md.',
      example: 0.97,
    }),
  })
  .openapi('Quality', { description: 'Absent with `quality=false`.' });

/** Of a face below `min_face_size`, which the recogniser has not seen. */
export const refusedQualitySchema = qualitySchema.partial({ embedding_norm: true, score: true });

export function describeQuality(quality: PictureQuality & Partial<FaceQuality>) {
  const { pose, embeddingNorm, score } = quality;
  return {
    brightness: shorten(quality.brightness),
    contrast: shorten(quality.contrast),
    sharpness: shorten(quality.sharpness),
    size: shorten(quality.size),
    pose: { roll: shorten(pose.roll), yaw: shorten(pose.yaw), pitch: shorten(pose.pitch) },
    margin: shorten(quality.margin),
    ...(embeddingNorm === undefined ? {} : { embedding_norm: shorten(embeddingNorm) }),
    ...(score === undefined ? {} : { score: shorten(score) }),
  };
}

function shorten(value: number): number {
  return Number(value.toPrecision(DIGITS));
}
