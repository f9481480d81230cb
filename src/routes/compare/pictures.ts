import { imagesAtOnce } from '../../config/concurrency.ts';
import { embedImages } from '../../engine/embed-images.ts';
import type { EmbedAnswer, LoadedModel } from '../../engine/engine.ts';
import { ServiceError } from '../../errors.ts';
import type { PictureNotes } from '../../json/compare-answer.ts';
import type { PendingComparison, StoredComparison } from '../../json/compare-job.ts';
import type { CompareOptions } from '../../json/compare-request.ts';
import type { RequestRecord } from '../../observability/request-record.ts';
import { encodeEmbedding, scaleToUnit } from '../../similarity/embedding.ts';
import type { UnitVectors } from '../../similarity/embedding-set.ts';
import type { Api } from '../api.ts';
import { describeModel, describePicture } from '../embed/answer.ts';
import { describeWithoutEmbedding } from '../face.ts';
import { assertLivenessPossible, toLivenessOptions } from '../liveness-options.ts';
import { recordImage } from '../record-image.ts';
import { toSearchOptions } from '../search-options.ts';

export interface EmbedPicturesOptions {
  record: RequestRecord;
  signal: AbortSignal;
}

/**
 * Embeds the pictures of a comparison on all free workers and fills in their vectors.
 *
 * @throws {ServiceError} OVERLOADED or MODEL_NOT_LOADED; INVALID_EMBEDDING or EMBEDDING_SPACE_MISMATCH when the embeddings
 *   of the request are not of the loaded model; else what is wrong with the first picture that fails, with its name.
 */
export async function embedPictures(
  pending: PendingComparison,
  { config, engine, rates }: Pick<Api, 'config' | 'engine' | 'rates'>,
  { record, signal }: EmbedPicturesOptions,
): Promise<{ comparison: StoredComparison; notes: PictureNotes }> {
  const { comparison, pictures } = pending;
  const { options } = comparison;
  assertLivenessPossible(options, config, engine.model);
  const admission = engine.admit(pictures.length, record.tenant);
  rates.charge(record.tenant, pictures.length - 1);
  try {
    const { model } = admission;
    assertComparable(pending, model);
    const answers: EmbedAnswer[] = [];
    const failures: { index: number; error: ServiceError }[] = [];
    const images = pictures.map(({ image }) => image);
    const shared = { ...toSearchOptions(options, config), maxFaces: 1, quality: true };
    const ofQuery = { ...shared, liveness: toLivenessOptions(options, config, model) };
    await embedImages(admission, images, {
      // A reference is often a photograph of a document.
      options: (index) => (pictures[index]?.reference === undefined ? ofQuery : shared),
      atOnce: imagesAtOnce(config),
      signal,
      stopAtFailure: true,
      onOutcome(outcome) {
        recordImage(record, outcome);
        if ('answer' in outcome) answers[outcome.index] = outcome.answer;
        else failures.push(outcome);
      },
    });
    const [first] = failures.sort((a, b) => a.index - b.index);
    if (first) throw namePicture(first.error, pictures[first.index]?.name ?? '');

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
      else
        filled.references.values.set(vector, (comparison.layout?.starts?.[reference] ?? reference) * length);
      faces.set(reference, describeFaceOf(answer, options));
    }
    return {
      comparison: filled,
      notes: {
        query: faces.get(undefined),
        references: faces as Map<number, object>,
        model: describeModel(model),
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

/** When the request has only pictures, the model gives the length of the vectors. */
function withLength(vectors: UnitVectors, length: number): UnitVectors {
  if (vectors.length === length) return vectors;
  return { ...vectors, length, values: new Float64Array(vectors.count * length) };
}

/** The face of a picture, as `/v1/embed` describes it. */
function describeFaceOf({ faces, image, rotation }: EmbedAnswer, options: CompareOptions): object {
  const { return_embeddings, encoding_format } = options;
  const face = faces[0] as EmbedAnswer['faces'][number];
  return {
    ...(return_embeddings ? { embedding: encodeEmbedding(face.embedding, encoding_format) } : {}),
    ...describeWithoutEmbedding(face),
    ...describePicture({ image, rotation }),
  };
}

/** The same error with the picture's name in its detail. An error that the picture does not cause (5xx) stays as it is. */
function namePicture(error: ServiceError, name: string): ServiceError {
  if (error.status >= 500) return error;
  const { code, message, detail = message } = error;
  return new ServiceError(code, { message, detail: `${name}: ${detail}` });
}
