import { z } from '@hono/zod-openapi';
import type { ImageOutcome } from '../../engine/embed-images.ts';
import { type ErrorCode, ServiceError } from '../../errors.ts';
import { errorResponses, errorSchema } from '../../http/error-answers.ts';
import type { LowQuality } from '../../vision/embed-face.ts';
import { IMAGE_ERRORS } from '../api.ts';
import { describeQuality, reasonCodes, reasonsSchema, refusedQualitySchema } from '../face-quality.ts';

/* What LOW_QUALITY says beside the members of every error. */

/** The members of `LOW_QUALITY`. */
export const lowQualityShape = {
  ...errorSchema.shape,
  error_code: z.literal('LOW_QUALITY' satisfies ErrorCode),
  reasons: reasonsSchema,
  quality: refusedQualitySchema.optional(),
};

const lowQualitySchema = z.object(lowQualityShape).openapi('LowQualityError');

const responses = errorResponses(...IMAGE_ERRORS, 'LOW_QUALITY', 'LIVENESS_FAILED');

/** The errors of the route, for the OpenAPI document. */
export const EMBED_ERRORS = {
  ...responses,
  422: {
    description: responses[422]?.description ?? '',
    content: { 'application/json': { schema: z.union([errorSchema, lowQualitySchema]) } },
  },
};

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
