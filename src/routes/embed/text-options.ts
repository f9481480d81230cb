import { z } from '@hono/zod-openapi';
import { optionsSchema } from '../../json/embed-options.ts';
import { booleanText, describeOption, numberText } from '../text-options.ts';

const { shape } = optionsSchema;

const numbers = {
  detection_threshold: numberText(z.number().min(0).max(1)).openapi({
    ...describeOption(shape.detection_threshold),
    type: 'number',
    minimum: 0,
    maximum: 1,
  }),
  min_quality: numberText(z.number().min(0).max(1)).openapi({
    ...describeOption(shape.min_quality),
    type: 'number',
    minimum: 0,
    maximum: 1,
  }),
  min_face_size: numberText(z.number().min(0)).openapi({
    ...describeOption(shape.min_face_size),
    type: 'number',
    minimum: 0,
  }),
};

const quality = { ...describeOption(shape.quality), type: 'boolean' } as const;
const fuse = { ...describeOption(shape.fuse), type: 'boolean' } as const;
const returnFace = { ...describeOption(shape.return_face), type: 'boolean' } as const;
const aligned = { ...describeOption(shape.aligned), type: 'boolean' } as const;

/** The options as form fields. */
export const textOptionsSchema = optionsSchema.extend({
  ...numbers,
  quality: booleanText()
    .default(true)
    .openapi({ ...quality, default: true }),
  return_face: booleanText()
    .default(false)
    .openapi({ ...returnFace, default: false }),
  aligned: booleanText()
    .default(false)
    .openapi({ ...aligned, default: false }),
  fuse: booleanText()
    .default(false)
    .openapi({ ...fuse, default: false }),
});

/** The options as query parameters: only what is given. */
export const queryOptionsSchema = optionsSchema.extend({
  ...numbers,
  faces: shape.faces.unwrap().optional().openapi(describeOption(shape.faces)),
  encoding_format: shape.encoding_format.unwrap().optional().openapi(describeOption(shape.encoding_format)),
  quality: booleanText().optional().openapi(quality),
  return_face: booleanText().optional().openapi(returnFace),
  face_format: shape.face_format.unwrap().optional().openapi(describeOption(shape.face_format)),
  aligned: booleanText().optional().openapi(aligned),
  fuse: booleanText().optional().openapi(fuse),
});
