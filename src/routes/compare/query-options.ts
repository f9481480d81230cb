import { z } from '@hono/zod-openapi';
import { compareRequestSchema, countSchema, rateSchema } from '../../json/compare-schema.ts';
import { booleanText, describeOption, integerText, numberText } from '../text-options.ts';

const { shape } = compareRequestSchema;

/** The options of a comparison as query parameters: only what is given. */
export const compareQuerySchema = z.strictObject({
  distance_metric: shape.distance_metric.unwrap().optional().openapi(describeOption(shape.distance_metric)),
  threshold: numberText(z.number().min(0).max(2)).openapi({
    ...describeOption(shape.threshold),
    type: 'number',
    minimum: 0,
    maximum: 2,
  }),
  max_far: numberText(rateSchema).openapi({
    ...describeOption(shape.max_far),
    type: 'number',
    exclusiveMinimum: 0,
    maximum: 1,
  }),
  max_fpir: numberText(rateSchema).openapi({
    ...describeOption(shape.max_fpir),
    type: 'number',
    exclusiveMinimum: 0,
    maximum: 1,
  }),
  allow_provisional: booleanText()
    .optional()
    .openapi({ ...describeOption(shape.allow_provisional), type: 'boolean' }),
  top_k: integerText(countSchema).openapi({
    ...describeOption(shape.top_k),
    type: 'integer',
    minimum: 1,
    maximum: Number.MAX_SAFE_INTEGER,
  }),
  faces: shape.faces.unwrap().optional().openapi(describeOption(shape.faces)),
  detection: shape.detection,
  detection_threshold: numberText(z.number().min(0).max(1)).openapi({
    ...describeOption(shape.detection_threshold),
    type: 'number',
    minimum: 0,
    maximum: 1,
  }),
  orientation: shape.orientation,
  return_embeddings: booleanText()
    .optional()
    .openapi({ ...describeOption(shape.return_embeddings), type: 'boolean' }),
  encoding_format: shape.encoding_format.unwrap().optional().openapi(describeOption(shape.encoding_format)),
  liveness: shape.liveness,
  person_distance: shape.person_distance.unwrap().optional().openapi(describeOption(shape.person_distance)),
});
