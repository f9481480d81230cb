import { z } from '@hono/zod-openapi';
import type { EmbedAnswer, LoadedModel } from '../../engine/engine.ts';
import type { RequestOptions } from '../../json/embed-options.ts';
import { TURNS } from '../../vision/upright/turn.ts';
import {
  alignedFaceShape,
  describeAlignedFace,
  describeFace,
  faceShape,
  notLiveFaceShape,
  refusedFaceShape,
} from '../face.ts';
import { templateSchema } from './fuse.ts';
import { embedErrorShape } from './refusal.ts';

/* The answers of `/v1/embed`. */

export const modelSchema = z
  .object({
    name: z.string().openapi({ example: 'buffalo_l' }),
    embedding_size: z.int().openapi({ example: 512 }),
    embedding_space: z.string().openapi({
      description: 'Embeddings are comparable only within one space. Store it beside the embedding.',
      example: 'buffalo_l:4c06341c33c2',
    }),
  })
  .openapi('EmbeddingModel', { description: 'The model that made the embeddings.' });

export const imageSchema = z.object({ width: z.int(), height: z.int() }).openapi('ImageSize', {
  description: 'Size in pixels of the upright image: EXIF orientation applied, then turned by `rotation`.',
});

export const rotationSchema = z
  .literal(TURNS)
  .openapi('Rotation', {
    // Of a literal with several values, the document would have the first.
    type: 'integer',
    enum: [...TURNS],
    description:
      'With `orientation=auto`: the degrees by which the image was turned clockwise, after its EXIF orientation, to be upright. ' +
      'Absent if it was not turned. `image`, `bbox` and `landmarks` are of the turned image.',
  })
  .optional();

const oneFaceShape = {
  ...faceShape,
  face_detected: z.literal(true),
  image: imageSchema,
  rotation: rotationSchema,
};

const alignedShape = {
  ...alignedFaceShape,
  face_detected: z.literal(true),
  image: imageSchema,
};

const allFacesShape = {
  faces: z
    .array(
      z.union([
        z.object(faceShape).openapi('Face'),
        z.object(refusedFaceShape).openapi('LowQualityFace'),
        z.object(notLiveFaceShape).openapi('NotLiveFace'),
      ]),
    )
    .openapi({
      description:
        'Best detection score first; may be empty. A face below `min_quality` or `min_face_size` has `low_quality` ' +
        'and `reasons` instead of `embedding`, and one that is not live `liveness_failed`, with `liveness=require`.',
    }),
  face_detected: z.boolean(),
  faces_omitted: z.int().optional().openapi({
    description: 'Faces beyond `MAX_FACES`, which were not embedded. Absent when there are none.',
  }),
  image: imageSchema,
  rotation: rotationSchema,
};

const oneFaceSchema = z
  .object({ ...oneFaceShape, model: modelSchema })
  .openapi('EmbeddedFace', { description: 'The answer for `faces` = `single` and `largest`.' });

const allFacesSchema = z
  .object({ ...allFacesShape, model: modelSchema })
  .openapi('EmbeddedFaces', { description: 'The answer for `faces` = `all`.' });

const alignedSchema = z.object({ ...alignedShape, model: modelSchema }).openapi('EmbeddedAlignedFace', {
  description: 'The answer with `aligned=true`.',
  not: { required: ['bbox'] },
});

const index = z.int().min(0).openapi({ description: 'Position of the image in the request, from 0.' });

const resultSchema = z
  .union([
    z.object({ index, ...oneFaceShape }).openapi('FaceResult'),
    z.object({ index, ...allFacesShape }).openapi('FacesResult'),
    z.object({ index, ...embedErrorShape }).openapi('FailedResult'),
    z.object({ index, ...alignedShape }).openapi('AlignedFaceResult', { not: { required: ['bbox'] } }),
  ])
  .openapi('EmbedResult', {
    description:
      'The outcome of one image: the answer to a request with this image only, without `model`, or its error.',
  });

const batchSchema = z
  .object({
    results: z.array(resultSchema).openapi({ description: 'One for each image, in request order.' }),
    template: templateSchema.optional(),
    model: modelSchema,
  })
  .openapi('EmbeddedBatch', { description: 'The answer to a batch.' });

/** The answer in lines, for the OpenAPI document. */
export const lineSchema = z
  .union([
    resultSchema,
    z
      .object({ done: z.literal(true), template: templateSchema.optional(), model: modelSchema })
      .openapi('EmbedEnd', { description: 'The last line. An answer without it is incomplete.' }),
  ])
  .openapi('EmbedLine', {
    description: 'A line for each image as soon as it is done, and then a last line.',
  });

/** The answer as one JSON text, for the OpenAPI document. Those that demand most come first, for clients that take the first that fits. */
export const answerSchema = z
  .union([oneFaceSchema, allFacesSchema, batchSchema, alignedSchema])
  .openapi('EmbedResponse', {
    description:
      '`EmbeddedFace` for an image, `EmbeddedFaces` with `faces=all`, `EmbeddedAlignedFace` with `aligned=true`, `EmbeddedBatch` ' +
      'for several images.',
  });

/** The faces of one image. */
export function describeImage(
  { image, rotation, faces, refused, omitted, aligned }: EmbedAnswer,
  options: RequestOptions,
) {
  if (aligned) return { ...describeAlignedFace(aligned, options), face_detected: true, image };
  const described = [...faces, ...refused]
    .sort((a, b) => b.score - a.score)
    .map((face) => describeFace(face, options));
  const picture = describePicture({ image, rotation });
  if (options.faces !== 'all') return { ...described[0], face_detected: true, ...picture };
  return {
    faces: described,
    face_detected: described.length > 0,
    ...(omitted > 0 ? { faces_omitted: omitted } : {}),
    ...picture,
  };
}

/** The size of an upright picture, and how far it was turned for that, if at all. */
export function describePicture({ image, rotation }: Pick<EmbedAnswer, 'image' | 'rotation'>) {
  return rotation ? { image, rotation } : { image };
}

export function describeModel({ pack, embeddingSize }: LoadedModel): z.output<typeof modelSchema> {
  return { name: pack.name, embedding_size: embeddingSize, embedding_space: pack.embeddingSpace };
}
