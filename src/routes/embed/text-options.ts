import { z } from '@hono/zod-openapi';
import { optionsSchema } from '../../json/embed-options.ts';

const numberText = (range: z.ZodNumber) =>
  z
    .string()
    .regex(/^\d*\.?\d+$/, 'expected a number')
    .transform(Number)
    .pipe(range)
    .optional();

const booleanText = (fallback: boolean) =>
  z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .default(fallback);

/** The description of an option in the OpenAPI document, which is the same for text. */
const describe = (name: keyof typeof optionsSchema.shape): { description: string; example?: unknown } => {
  const { description = '', example } = optionsSchema.shape[name].meta() ?? {};
  return { description, ...(example === undefined ? {} : { example }) };
};

/** The options as query parameters and form fields, which are text. */
export const textOptionsSchema = optionsSchema.extend({
  detection_threshold: numberText(z.number().min(0).max(1)).openapi({
    type: 'number',
    minimum: 0,
    maximum: 1,
  }),
  quality: booleanText(true).openapi({ ...describe('quality'), type: 'boolean', default: true }),
  min_quality: numberText(z.number().min(0).max(1)).openapi({
    ...describe('min_quality'),
    type: 'number',
    minimum: 0,
    maximum: 1,
  }),
  min_face_size: numberText(z.number().min(0)).openapi({
    ...describe('min_face_size'),
    type: 'number',
    minimum: 0,
  }),
  return_face: booleanText(false).openapi({ ...describe('return_face'), type: 'boolean', default: false }),
});
