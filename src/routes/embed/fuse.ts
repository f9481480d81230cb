import { z } from '@hono/zod-openapi';
import type { ImageOutcome } from '../../engine/embed-images.ts';
import type { EmbedAnswer } from '../../engine/engine.ts';
import { ServiceError } from '../../errors.ts';
import { errorSchema, exampleError } from '../../http/document/error-responses.ts';
import { errorBody } from '../../http/error-answers.ts';
import type { RequestOptions } from '../../json/embed-options.ts';
import { encodeEmbedding } from '../../similarity/embedding.ts';
import { type FusedPicture, fuseEmbeddings } from '../../similarity/fusion.ts';
import { faceShape } from '../face.ts';

const indexes = z.array(z.int().min(0));

/** The template of an answer, or why there is none. */
export const templateSchema = z
  .union([
    z
      .object({
        embedding: faceShape.embedding,
        used: indexes.openapi({
          description: 'The images that it is made of, ascending.',
          example: [0, 1, 3],
        }),
        outliers: indexes.openapi({
          description:
            'Images of somebody else, or too poor to tell, which were left out. Images that failed are in neither.',
          example: [2],
        }),
      })
      .openapi('FusedTemplate'),
    z.object(errorSchema.shape).openapi('FailedTemplate', {
      description:
        '`PICTURES_DISAGREE` if no more than half of the images with an embedding show the same person.',
      example: exampleError('PICTURES_DISAGREE'),
    }),
  ])
  .openapi('Template', {
    description: 'With `fuse=true`: one embedding of one person from the images of the batch.',
  });

/** Collects the embeddings of a batch, and makes one of them. */
export class Fusing {
  readonly #agreement: number;
  readonly #options: RequestOptions;
  /** By the index of the image. */
  readonly #pictures: FusedPicture[] = [];

  /** @param agreement the least cosine of two pictures of one person. */
  constructor(agreement: number, options: RequestOptions) {
    this.#agreement = agreement;
    this.#options = options;
  }

  /** @param outcome of any image, as it is answered. One that failed does not count. */
  add(outcome: ImageOutcome): void {
    if (!('answer' in outcome)) return;
    const { aligned, faces } = outcome.answer;
    const [face] = faces;
    // An aligned face has no score.
    if (aligned) this.#pictures[outcome.index] = { embedding: aligned.embedding, weight: 1 };
    else if (face)
      this.#pictures[outcome.index] = { embedding: face.embedding, weight: face.quality?.score ?? 1 };
  }

  /** The template, or its error. */
  describe(requestId: string): object {
    // In request order, whatever the order in which they finished: sums of rounded numbers depend on it.
    const places = Object.keys(this.#pictures).map(Number);
    const pictures = places.map((place) => this.#pictures[place] as FusedPicture);
    const template = pictures.length > 0 ? fuseEmbeddings(pictures, this.#agreement) : undefined;
    if (template === undefined) return errorBody(disagreement(pictures.length), requestId);
    const placesOf = (indexes: readonly number[]) => indexes.map((index) => places[index]);
    return {
      embedding: encodeEmbedding(template.embedding, this.#options.encoding_format),
      used: placesOf(template.used),
      outliers: placesOf(template.outliers),
    };
  }
}

function disagreement(pictures: number): ServiceError {
  const detail =
    pictures === 0
      ? 'No image has an embedding.'
      : `No more than half of ${pictures} images show the same person.`;
  return new ServiceError('PICTURES_DISAGREE', { detail });
}

/** The same answer with faces whose quality was not asked for. */
export function withoutQuality(answer: EmbedAnswer): EmbedAnswer {
  return { ...answer, faces: answer.faces.map(({ quality: _, ...face }) => face) };
}
