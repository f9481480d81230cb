import { z } from '@hono/zod-openapi';
import { shortenFloat32 } from '../similarity/embedding.ts';
import type { FaceLiveness } from '../vision/liveness/liveness-model.ts';
import { LIVENESS_REASONS } from '../vision/liveness/network-input.ts';

/** The liveness of a face, in answers. */
export const livenessSchema = z
  .object({
    score: z.union([z.number().min(0).max(1), z.null()]).openapi({
      description: 'Probability that the face is live, as the model estimates it; null with `reason`.',
    }),
    live: z.union([z.boolean(), z.null()]).openapi({
      description: 'Whether the score reaches the threshold; null without a score, and without a threshold.',
    }),
    model: z.string().openapi({
      description: 'What gave the score, as `/v1/model-info` names it.',
      example: 'minifasnet:5b1f0c2d3e4a',
    }),
    reason: z.enum(LIVENESS_REASONS).openapi('LivenessReason').optional().openapi({
      description:
        'Why there is no score: the face has too few pixels for the model, over 30 % of it is outside the picture, or it is blurred.',
    }),
  })
  .openapi('Liveness', { description: 'With `liveness` = `report` and `require`.' });

/** It is also the detail of `LIVENESS_FAILED`. */
export const livenessFailureSchema = z.string().openapi({
  description: 'Why the face does not pass.',
  example: 'the score 0.03121 is below the threshold 0.9',
});

export function describeLiveness({ score, live, model, reason }: FaceLiveness) {
  return {
    score: score === null ? null : shortenFloat32(Math.fround(score)),
    live,
    model,
    ...(reason === undefined ? {} : { reason }),
  };
}
