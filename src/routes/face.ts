import { z } from '@hono/zod-openapi';
import { type EncodingFormat, encodeEmbedding, shortenFloat32 } from '../similarity/embedding.ts';
import type { EmbeddedAlignedFace } from '../vision/embed-aligned.ts';
import type { EmbeddedFace, RefusedFace } from '../vision/embed-face.ts';
import { describeLiveness, livenessFailureSchema, livenessSchema } from './face-liveness.ts';
import {
  alignedQualitySchema,
  describeAlignedQuality,
  describeQuality,
  lowQualitySchema,
  qualitySchema,
  reasonCodes,
  reasonsSchema,
  refusedQualitySchema,
} from './face-quality.ts';

const embeddingSchema = z.union([z.array(z.number()), z.string()]).openapi('Embedding', {
  description: 'L2 norm 1, in the form that `encoding_format` selects.',
  example: [0.0123, -0.0456],
});

const detectedShape = {
  detection_score: z.number().openapi({ description: 'Confidence of the detector, 0..1.', example: 0.87 }),
  bbox: z
    .object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() })
    .openapi('BoundingBox', {
      description: 'In pixels of the upright image. It may reach beyond the edges.',
    }),
  landmarks: z.array(z.array(z.number()).length(2)).length(5).openapi({
    description:
      'Left eye, right eye, nose, left and right mouth corner, as seen in the picture: [x, y] each.',
  }),
  face_image: z.string().optional().openapi({
    description: 'With `return_face=true`: the aligned face as a data URL, in the format of `face_format`.',
    example: 'data:image/jpeg;base64,/9j/4AAQSkZJRg…',
  }),
};

/** One face of an answer. */
export const faceShape = {
  embedding: embeddingSchema,
  ...detectedShape,
  quality: qualitySchema.optional(),
  liveness: livenessSchema.optional(),
};

/** One face of a list that is below a limit of the request. */
export const refusedFaceShape = {
  low_quality: lowQualitySchema,
  reasons: reasonsSchema,
  ...detectedShape,
  quality: refusedQualitySchema.optional(),
  liveness: livenessSchema.optional(),
};

/** One face of a list that has to be live, and is not. */
export const notLiveFaceShape = {
  liveness_failed: livenessFailureSchema,
  ...detectedShape,
  quality: refusedQualitySchema.optional(),
  liveness: livenessSchema,
};

/** The face of a picture that is an aligned face. */
export const alignedFaceShape = {
  embedding: embeddingSchema,
  face_image: detectedShape.face_image,
  quality: alignedQualitySchema.optional(),
};

export function describeFace(face: EmbeddedFace | RefusedFace, options: { encoding_format: EncodingFormat }) {
  return {
    ...('embedding' in face
      ? { embedding: encodeEmbedding(face.embedding, options.encoding_format) }
      : 'lowQuality' in face
        ? { low_quality: face.lowQuality, reasons: reasonCodes(face.lowQuality) }
        : { liveness_failed: face.livenessFailure }),
    ...describeWithoutEmbedding(face),
  };
}

export function describeAlignedFace(
  { embedding, quality, image }: EmbeddedAlignedFace,
  options: { encoding_format: EncodingFormat },
) {
  return {
    embedding: encodeEmbedding(embedding, options.encoding_format),
    ...(quality ? { quality: describeAlignedQuality(quality) } : {}),
    ...(image === undefined ? {} : { face_image: image }),
  };
}

export function describeWithoutEmbedding({
  box,
  score,
  landmarks,
  image,
  quality,
  liveness,
}: EmbeddedFace | RefusedFace) {
  const float = (value: number) => shortenFloat32(Math.fround(value));
  return {
    detection_score: float(score),
    bbox: {
      x: float(box.left),
      y: float(box.top),
      width: float(box.right - box.left),
      height: float(box.bottom - box.top),
    },
    landmarks: Array.from({ length: 5 }, (_, i) => [
      float(landmarks[2 * i] as number),
      float(landmarks[2 * i + 1] as number),
    ]),
    ...(quality ? { quality: describeQuality(quality) } : {}),
    ...(liveness ? { liveness: describeLiveness(liveness) } : {}),
    ...(image === undefined ? {} : { face_image: image }),
  };
}
