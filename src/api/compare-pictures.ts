import type { EmbedAnswer, LoadedModel } from '../engine/engine.ts';
import { mapInOrder } from '../engine/map-in-order.ts';
import { ServiceError } from '../errors.ts';
import { type RequestRecord, recordStages } from '../observability/request-record.ts';
import { scaleToUnit } from '../similarity/embedding.ts';
import type { UnitVectors } from '../similarity/embedding-set.ts';
import type { Api } from './api.ts';
import type { PictureNotes } from './compare-answer.ts';
import { type CompareOptions, namePicture } from './compare-request.ts';
import { describeFace } from './face.ts';
import type { PendingComparison, StoredComparison } from './json-jobs.ts';

export interface EmbedPicturesOptions {
  record: RequestRecord;
  signal: AbortSignal;
}

/**
 * Embeds the pictures of a comparison, on all workers that are free, and puts their vectors in their places.
 *
 * @throws {ServiceError} OVERLOADED or MODEL_NOT_LOADED; INVALID_EMBEDDING or EMBEDDING_SPACE_MISMATCH when the embeddings
 *   of the request are not of the loaded model; else what is wrong with the first picture that fails, naming it.
 */
export async function embedPictures(
  pending: PendingComparison,
  { config, engine }: Pick<Api, 'config' | 'engine'>,
  { record, signal }: EmbedPicturesOptions,
): Promise<{ comparison: StoredComparison; notes: PictureNotes }> {
  const { comparison, pictures } = pending;
  const { options } = comparison;
  const admission = engine.admit(pictures.length);
  try {
    const model = engine.model as LoadedModel;
    assertComparable(pending, model);
    const answers = await mapInOrder(pictures, config.WORKERS, async ({ name, image }) => {
      try {
        if ('code' in image) throw new ServiceError(image.code, image.detail ? { detail: image.detail } : {});
        const answer = await admission.embed(
          image,
          {
            selection: options.faces,
            detection: options.detection ?? config.DETECTION,
            detectionThreshold: options.detection_threshold ?? config.DETECTION_THRESHOLD,
            maxFaces: 1,
            maxPixels: config.MAX_IMAGE_PIXELS,
          },
          signal,
        );
        recordStages(record, { queue: answer.waited, ...answer.timings });
        return answer;
      } catch (error) {
        throw namePicture(error, name);
      }
    });
    record.faces = answers.length;
    if (answers.length === 1) record.picture = answers[0]?.image;

    const { embeddingSize: length } = model;
    const filled = {
      ...comparison,
      queries: withLength(comparison.queries, length),
      references: withLength(comparison.references, length),
    };
    const faces = new Map<number | undefined, object>();
    for (const [index, { reference, name }] of pictures.entries()) {
      const answer = answers[index] as EmbedAnswer;
      const vector = Float64Array.from(answer.faces[0]?.embedding ?? []);
      scaleToUnit(vector, name);
      if (reference === undefined) filled.queries.values.set(vector);
      else filled.references.values.set(vector, reference * length);
      faces.set(reference, describePicture(answer, options));
    }
    const { pack } = model;
    return {
      comparison: filled,
      notes: {
        query: faces.get(undefined),
        references: faces as Map<number, object>,
        model: { name: pack.name, embedding_size: length, embedding_space: pack.embeddingSpace },
      },
    };
  } finally {
    admission.release();
  }
}

/** @throws {ServiceError} INVALID_EMBEDDING or EMBEDDING_SPACE_MISMATCH. */
function assertComparable(
  { sample, space: named }: PendingComparison,
  { pack: { embeddingSpace }, embeddingSize }: LoadedModel,
): void {
  if (sample && sample.length !== embeddingSize) {
    throw new ServiceError('INVALID_EMBEDDING', {
      detail: `${sample.name} has ${sample.length} numbers; those of pictures have ${embeddingSize}.`,
    });
  }
  if (named && named.space !== embeddingSpace) {
    throw new ServiceError('EMBEDDING_SPACE_MISMATCH', {
      detail: `${named.name} is of ${named.space}, pictures are of ${embeddingSpace}.`,
    });
  }
}

/** Where there were only pictures, the length of the vectors becomes known with the model. */
function withLength(vectors: UnitVectors, length: number): UnitVectors {
  if (vectors.length === length) return vectors;
  return { ...vectors, length, values: new Float64Array(vectors.count * length) };
}

/** The face of a picture, as `/v1/embed` describes it. */
function describePicture({ faces, image }: EmbedAnswer, options: CompareOptions): object {
  const { return_embeddings, encoding_format } = options;
  // Writing numbers takes longer than all the rest; nobody sees this base64.
  const format = return_embeddings ? encoding_format : 'base64';
  const { embedding, ...face } = describeFace(faces[0] as EmbedAnswer['faces'][number], {
    encoding_format: format,
  });
  return { ...(return_embeddings ? { embedding } : {}), ...face, image };
}
