import { z } from '@hono/zod-openapi';

/*
 * Options as query parameters and form fields, which are text. What the OpenAPI document says of them is the same as in JSON, but
 * that a query parameter has no default: clients that are generated from the document would send it beside the body's option.
 */

/** As JSON has them, also with an exponent, as generated clients write small numbers; and with nothing before the point. */
export const numberText = (range: z.ZodNumber) =>
  z
    .string()
    .regex(/^-?\d*\.?\d+(e[+-]?\d+)?$/i, 'expected a number')
    .transform(Number)
    .pipe(range)
    .optional();

export const integerText = (range: z.ZodInt | z.ZodNumber) =>
  z.string().regex(/^\d+$/, 'expected a whole number').transform(Number).pipe(range).optional();

export const booleanText = () =>
  z
    .string()
    .regex(/^(true|false|1|0)$/i, 'expected true or false')
    .transform((text) => /^(true|1)$/i.test(text));

/** What the OpenAPI document says of an option. No example, which a page would fill in and send, beside that of the body. */
export function describeOption(option: z.ZodType): { description: string } {
  return { description: option.description ?? '' };
}
