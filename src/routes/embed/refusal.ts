import { z } from '@hono/zod-openapi';
import type { ImageOutcome } from '../../engine/embed-images.ts';
import { ServiceError } from '../../errors.ts';
import { errorResponsesOf, errorSchema } from '../../http/document/error-responses.ts';
import type { LowQuality } from '../../vision/embed-face.ts';
import { IMAGE_ERRORS } from '../api.ts';
import { describeQuality, reasonCodes, reasonsSchema, refusedQualitySchema } from '../face-quality.ts';

/* What LOW_QUALITY says beside the members of every error. */

/** The members of an error of this route. */
export const embedErrorShape = {
  ...errorSchema.shape,
  reasons: reasonsSchema.optional(),
  quality: refusedQualitySchema.optional(),
};

const embedErrorSchema = z.object(embedErrorShape).openapi('EmbedErrorResponse', {
  description: 'The body of every error; with `LOW_QUALITY`, also `reasons` and `quality`.',
});

/** The errors of the route, for the OpenAPI document. */
export const EMBED_ERRORS = errorResponsesOf(
  embedErrorSchema,
  ...IMAGE_ERRORS,
  'LOW_QUALITY',
  'LIVENESS_FAILED',
);

/** What the example of LOW_QUALITY has beside the members of every error. */
export const LOW_QUALITY_EXAMPLE = {
  reasons: ['TOO_DARK'],
  quality: {
    brightness: 0.09,
    contrast: 0.05,
    sharpness: 0.41,
    size: 96.4,
    pose: { roll: -1.2, yaw: 4.1, pitch: -3.8 },
    margin: 1,
    embedding_norm: 14.2,
    score: 0.31,
  },
} satisfies Partial<z.output<typeof embedErrorSchema>>;

/** Gives the members of a face that is refused their form in the answer; other outcomes stay as they are. */
export function describeRefusal(outcome: ImageOutcome): ImageOutcome {
  if (!('error' in outcome) || outcome.error.code !== 'LOW_QUALITY') return outcome;
  const { code, message, detail = '', stages, members } = outcome.error;
  const { lowQuality = [], quality } = (members ?? {}) as Partial<LowQuality>;
  const error = new ServiceError(code, {
    message,
    detail,
    members: {
      reasons: reasonCodes(lowQuality),
      ...(quality ? { quality: describeQuality(quality) } : {}),
    },
  });
  error.stages = stages;
  return { index: outcome.index, error };
}
