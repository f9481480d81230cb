import { z } from '@hono/zod-openapi';

/** Options of a query or a form, which are text. */

export function numberText(range: z.ZodNumber) {
  return z
    .string()
    .regex(/^\d*\.?\d+$/, 'expected a number')
    .transform(Number)
    .pipe(range);
}

export function booleanText(fallback: boolean) {
  return z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .default(fallback);
}
