import { z } from '@hono/zod-openapi';
import type { FaceOptions } from '../vision/embed-face.ts';
import { booleanText, numberText } from './text-options.ts';

const quality = { description: 'Whether the quality of each face is measured and told.' };
const returnFace = {
  description:
    'Whether `face_image` is returned: the aligned face, 112×112 pixels (or what the recogniser takes), as a JPEG data URL.',
};
const minQuality = {
  description:
    'Least `quality.score`, 0..1. A face below is refused with `LOW_QUALITY`, or, with `faces=all`, marked and not ' +
    'embedded. Works with `quality=false`, too: then the quality is measured and not told.',
  example: 0.5,
};
const minFaceSize = {
  description:
    'Least `quality.size`, the shorter side of the box in pixels. A face below is refused in the same way.',
  example: 40,
};

/** Options of an embed request about how good a face is, in JSON. */
export const qualityOptions = {
  quality: z.boolean().default(true).openapi(quality),
  min_quality: z.number().min(0).max(1).optional().openapi(minQuality),
  min_face_size: z.number().min(0).optional().openapi(minFaceSize),
  return_face: z.boolean().default(false).openapi(returnFace),
};

/** The same as text, in a query or a form. */
export const textQualityOptions = {
  quality: booleanText(true).openapi({ ...quality, type: 'boolean', default: true }),
  min_quality: numberText(z.number().min(0).max(1))
    .optional()
    .openapi({ ...minQuality, type: 'number', minimum: 0, maximum: 1 }),
  min_face_size: numberText(z.number().min(0))
    .optional()
    .openapi({ ...minFaceSize, type: 'number', minimum: 0 }),
  return_face: booleanText(false).openapi({ ...returnFace, type: 'boolean', default: false }),
};

/** What a worker is told of them. */
export function toFaceOptions(options: {
  quality: boolean;
  min_quality?: number | undefined;
  min_face_size?: number | undefined;
  return_face: boolean;
}): FaceOptions {
  return {
    quality: options.quality,
    minQuality: options.min_quality,
    minFaceSize: options.min_face_size,
    returnFace: options.return_face,
  };
}
