import { z } from '@hono/zod-openapi';
import { type EncodingFormat, encodeEmbedding, shortenFloat32 } from '../similarity/embedding.ts';
import type { EmbeddedFace } from '../vision/pipeline.ts';

const embeddingSchema = z
  .union([z.array(z.number()), z.string()])
  .openapi({ description: 'L2 norm 1, written as `encoding_format` says.', example: [0.0123, -0.0456] });

/** One face of an answer. */
export const faceShape = {
  embedding: embeddingSchema,
  detection_score: z.number().openapi({ description: 'How sure the detector is, 0..1.', example: 0.87 }),
  bbox: z
    .object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() })
    .openapi({ description: 'In pixels of the upright image. It may reach beyond the edges.' }),
  landmarks: z.array(z.array(z.number()).length(2)).length(5).openapi({
    description:
      'Left eye, right eye, nose, left and right mouth corner, as seen in the picture: [x, y] each.',
  }),
};

export function describeFace(
  { box, score, landmarks, embedding }: EmbeddedFace,
  options: { encoding_format: EncodingFormat },
) {
  const float = (value: number) => shortenFloat32(Math.fround(value));
  return {
    embedding: encodeEmbedding(embedding, options.encoding_format),
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
  };
}
