import { z } from '@hono/zod-openapi';
import type { AlignedQuality } from '../vision/embed-aligned.ts';
import type { FaceQuality, PictureQuality } from '../vision/quality/quality.ts';
import { QUALITY_REASONS, type QualityReason, REASON_CODES } from '../vision/quality/quality-gate.ts';

/** Significant digits; more would be noise. */
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
        description: 'Slope of the line between the eyes; positive when it is rotated clockwise.',
      }),
      yaw: degrees.openapi({ description: 'Positive when the nose points to the right of the picture.' }),
      pitch: degrees.openapi({ description: 'Positive when the nose points up.' }),
    })
    .openapi('Pose', {
      description: 'In degrees. Yaw and pitch are estimated from five landmarks, to about ten degrees.',
    }),
  margin: share.openapi({
    description: 'Share of the aligned face that lies inside the picture.',
    example: 1,
  }),
};

/** Joined by commas, they are also the detail of `LOW_QUALITY`. */
export const lowQualitySchema = z.array(z.enum(QUALITY_REASONS).openapi('QualityAdvice')).min(1).openapi({
  description: 'What is low, worst first, in words that can be shown to the person in the photograph.',
});

export const reasonsSchema = z
  .array(z.enum(Object.values(REASON_CODES)).openapi('QualityReason'))
  .min(1)
  .openapi({ description: 'What is low, worst first, in codes for programs.', example: ['TOO_DARK'] });

export function reasonCodes(reasons: readonly QualityReason[]) {
  return reasons.map((reason) => REASON_CODES[reason]);
}

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
        'Estimated probability that this face matches a good photograph of the same person. ' +
        'docs/QUALITY.md says how it was chosen and how well it works.',
      example: 0.97,
    }),
  })
  .openapi('Quality', { description: 'Absent with `quality=false`.' });

export const refusedQualitySchema = qualitySchema
  .partial({ embedding_norm: true, score: true })
  .openapi('RefusedQuality', {
    description:
      'The quality of a face that is not embedded. Below `min_face_size`, it is not passed to the recogniser.',
  });

/** With `aligned=true`, where nothing is known of the photograph that the face was cut from. */
export const alignedQualitySchema = qualitySchema
  .pick({ brightness: true, contrast: true, sharpness: true, embedding_norm: true })
  .openapi('AlignedQuality', {
    description: 'What an aligned face shows by itself. Absent with `quality=false`.',
  });

export function describeAlignedQuality({ brightness, contrast, sharpness, embeddingNorm }: AlignedQuality) {
  return {
    brightness: shorten(brightness),
    contrast: shorten(contrast),
    sharpness: shorten(sharpness),
    embedding_norm: shorten(embeddingNorm),
  };
}

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
