import { z } from 'zod';
import { DETECTION_MODES, HIGHEST_MAX_FACES, LIVENESS_MODES, ORIENTATION_MODES } from '../config/settings.ts';
import { ServiceError } from '../errors.ts';
import { ENCODING_FORMATS } from '../similarity/embedding.ts';
import { FACE_FORMATS } from '../vision/align/face-format.ts';
import { MAX_CANDIDATES } from '../vision/detect/candidates.ts';
import { FACE_SELECTIONS } from '../vision/detect/selection.ts';

/** The options of an embed request, the same in every transport. Types, validation and the OpenAPI document derive from it. */
export const optionsSchema = z.strictObject({
  faces: z
    .enum(FACE_SELECTIONS)
    .default('single')
    .meta({
      description:
        '`single`: exactly one face, else an error. `largest`: the largest, most central face. ' +
        '`all`: every face, best detection score first.',
    }),
  encoding_format: z.enum(ENCODING_FORMATS).default('float').meta({
    description: '`float`: an array of numbers. `base64`: little-endian float32 in padded standard base64.',
  }),
  detection: z
    .enum(DETECTION_MODES)
    .optional()
    .meta({
      description:
        '`fast`, with `faces=largest` only: stops after the coarse pass of the detector when its choice is large ' +
        'and its score high. Default: the service’s `DETECTION`.',
    }),
  detection_threshold: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .meta({
      description:
        'Minimum detection score of a face. Default: the service’s `DETECTION_THRESHOLD`. With a low one, only the ' +
        `${MAX_CANDIDATES} candidates with the best scores are considered, and at most ${HIGHEST_MAX_FACES} faces are found.`,
      example: 0.5,
    }),
  orientation: z
    .enum(ORIENTATION_MODES)
    .optional()
    .meta({
      description:
        '`exif`: the picture is upright when its EXIF orientation is applied. `auto`: if its faces are not upright then, it is ' +
        'turned by 90, 180 or 270 degrees, and the answer says how far (`rotation`). Default: the service’s `ORIENTATION`.',
    }),
  quality: z.boolean().default(true).meta({ description: 'Whether the quality of each face is returned.' }),
  min_quality: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .meta({
      description:
        'Minimum `quality.score`. A face below it is refused with `LOW_QUALITY`, or, with `faces=all`, marked and not ' +
        'embedded. Also works with `quality=false`: the quality is then measured and not returned.',
      example: 0.5,
    }),
  min_face_size: z.number().min(0).optional().meta({
    description:
      'Minimum `quality.size`, the shorter side of the box in pixels. A face below it is refused in the same way.',
    example: 40,
  }),
  return_face: z.boolean().default(false).meta({
    description:
      'Whether `face_image` is returned: the aligned face, 112×112 pixels (or what the recogniser takes), as a data URL.',
  }),
  liveness: z
    .enum(LIVENESS_MODES)
    .optional()
    .meta({
      description:
        '`report`: each face has `liveness`. `require`: a face that is not live, or that cannot be judged, is refused with ' +
        '`LIVENESS_FAILED`, or, with `faces=all`, marked and not embedded. Both need `LIVENESS_MODEL`, and `require` a threshold. ' +
        'This is no certified presentation attack detection: docs/LIVENESS.md. Default: the service’s `LIVENESS`.',
    }),
  face_format: z.enum(FACE_FORMATS).default('jpeg').meta({
    description:
      'The format of `face_image`. `png` keeps every pixel: sent back with `aligned=true`, it has the same embedding.',
  }),
  aligned: z
    .boolean()
    .default(false)
    .meta({
      description:
        'Whether the image is an aligned face, as `return_face` gives it, of the size that the recogniser takes. No face is ' +
        'searched for: `bbox`, `landmarks` and `detection_score` are absent, and `quality` has what the pixels show. For new ' +
        'embeddings of stored faces after a change of model.',
    }),
  fuse: z
    .boolean()
    .default(false)
    .meta({
      description:
        'For a batch of pictures of one person, with `faces=single` or `largest`: whether `template` is returned, one embedding ' +
        'from all of them, without pictures of somebody else.',
    }),
});

export type RequestOptions = z.output<typeof optionsSchema>;

/** Options that need a detected face. */
const DETECTION_OPTIONS = [
  'detection',
  'detection_threshold',
  'orientation',
  'min_quality',
  'min_face_size',
] as const;

type DetectionOption = (typeof DETECTION_OPTIONS)[number];

/**
 * Refuses `fuse` where there is nothing to fuse.
 *
 * @throws {ServiceError} INVALID_REQUEST.
 */
export function assertFusible({ fuse, faces }: Pick<RequestOptions, 'fuse' | 'faces'>, batch: boolean): void {
  if (!fuse) return;
  if (faces === 'all') {
    throw new ServiceError('INVALID_REQUEST', {
      detail: 'fuse: goes with faces=single and faces=largest only',
    });
  }
  if (!batch) {
    throw new ServiceError('INVALID_REQUEST', {
      detail: 'fuse: goes with a batch only, several images of one person',
    });
  }
}

/**
 * Refuses options that contradict each other. Not part of the schema: a refined schema loses its shape, which the OpenAPI
 * document and `extend` need.
 *
 * @throws {ServiceError} INVALID_REQUEST.
 */
export function assertConsistent(
  options: Pick<RequestOptions, 'faces'> & Partial<Pick<RequestOptions, 'aligned' | DetectionOption>>,
): void {
  const { faces, detection } = options;
  if (options.aligned) assertUndetected(options);
  if (detection === 'fast' && faces !== 'largest') {
    throw new ServiceError('INVALID_REQUEST', { detail: 'detection: fast goes with faces=largest only' });
  }
}

function assertUndetected(
  options: Pick<RequestOptions, 'faces'> & Partial<Pick<RequestOptions, DetectionOption>>,
): void {
  // `exif` is how every picture is decoded; `single` and `largest` both answer with one face.
  const given = DETECTION_OPTIONS.filter((name) => options[name] !== undefined && options[name] !== 'exif');
  const [name] = [...(options.faces === 'all' ? ['faces'] : []), ...given];
  if (name === undefined) return;
  throw new ServiceError('INVALID_REQUEST', {
    detail: `${name}: ${name === 'faces' ? 'all' : 'this option'} does not go with aligned=true, where no face is searched for`,
  });
}
