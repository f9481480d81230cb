import type { Paths } from './api.ts';
import type { FaceEmbeddingError } from './errors.ts';
import type { ImageSource } from './image.ts';

/*
 * The types of the client, derived from those of the document by path, so that a new option or a new member of an answer
 * needs no change here.
 */

type Embed = Paths['/v1/embed']['post'];
type Compare = Paths['/v1/compare']['post'];

type Optional<T> = { [K in keyof T]?: T[K] | undefined };

/**
 * The options of `/v1/embed` for an image, with the service's names. Embeddings always travel as base64. `fuse` is an option of
 * `embedBatch` only: its answer is about several images.
 */
export type EmbedOptions = Optional<Omit<Embed['query'], 'encoding_format' | 'fuse'>> & { fuse?: undefined };

/** The options of a batch. */
export type BatchOptions = Omit<EmbedOptions, 'fuse'> & Optional<Pick<Embed['query'], 'fuse'>>;

/** An embedding that is sent: numbers, or the base64 of little-endian float32. */
export type Embedding = Float32Array | readonly number[] | string;

/** An answer, with each `embedding` as a Float32Array of L2 norm 1. */
export type Decoded<T> = T extends readonly (infer Item)[]
  ? number extends T['length']
    ? Decoded<Item>[]
    : { [K in keyof T]: Decoded<T[K]> }
  : T extends object
    ? {
        [K in keyof T]: K extends 'embedding'
          ? Float32Array<ArrayBuffer> | Extract<T[K], undefined>
          : Decoded<T[K]>;
      }
    : T;

/** A request, with embeddings as numbers in any form, and pictures as files, bytes or paths. */
export type Encodable<T> = T extends readonly (infer Item)[]
  ? readonly Encodable<Item>[]
  : T extends object
    ? {
        [K in keyof T]: K extends 'image' | 'query_image'
          ? ImageSource | Extract<T[K], undefined>
          : K extends 'embedding' | 'query_embedding'
            ? Embedding | Extract<T[K], undefined>
            : K extends 'embeddings'
              ? T[K] extends string
                ? Float32Array | string
                : readonly Embedding[] | Extract<T[K], undefined>
              : Encodable<T[K]>;
      }
    : T;

type EmbedAnswer = Embed['answers'][200]['application/json'];
type EmbedLine = Paths['/v1/embed/lines']['post']['answers'][200]['application/x-ndjson'];

/** The answer for one face: `faces` = `single` and `largest`. */
export type EmbeddedFace = Decoded<
  Extract<EmbedAnswer, { embedding: unknown; bbox: unknown; model: unknown }>
>;

/** The answer for a picture that is an aligned face: `aligned` = true. */
export type EmbeddedAlignedFace = Decoded<
  Exclude<Extract<EmbedAnswer, { embedding: unknown; model: unknown }>, { bbox: unknown }>
>;

/** The answer for `faces` = `all`. */
export type EmbeddedFaces = Decoded<Extract<EmbedAnswer, { faces: unknown; model: unknown }>>;

/** The answer to several images in one request. */
export type EmbeddedBatch = Decoded<Extract<EmbedAnswer, { results: unknown }>>;

/** The same with `fuse` = true: one embedding of one person from all images, or why there is none. */
export type FusedBatch = Omit<EmbeddedBatch, 'template'> & {
  template: NonNullable<EmbeddedBatch['template']>;
};

/** The choice of one face, of every face or of an aligned face, on which the form of the answer depends. */
export type OneFace = { faces?: Exclude<EmbedOptions['faces'], 'all'>; aligned?: false };
export type Aligned = { aligned: true };
export type AllFaces = { faces: 'all' };

/** The outcome of one of many images: what was found, or why nothing was. */
export type FaceResult = Found<
  Decoded<Extract<EmbedLine, { index: number; embedding: unknown; bbox: unknown }>>
>;
export type AlignedFaceResult = Found<
  Decoded<Exclude<Extract<EmbedLine, { index: number; embedding: unknown }>, { bbox: unknown }>>
>;
export type FacesResult = Found<Decoded<Extract<EmbedLine, { index: number; faces: unknown }>>>;

type Found<T> = (T & { error?: undefined }) | FailedImage;

export interface FailedImage {
  /** Position of the image, from 0. */
  index: number;
  error: FaceEmbeddingError;
}

/** The body of `/v1/compare`. */
export type CompareRequest = Optional<
  Encodable<Omit<Compare['body']['application/json'], 'encoding_format'>>
>;

/** One query, or several. */
export type OneQuery = { query_embeddings?: undefined };
export type ManyQueries = { query_embeddings: NonNullable<CompareRequest['query_embeddings']> };

type CompareAnswer = Compare['answers'][200]['application/json'];

/** The ranking for `query_embedding` or `query_image`. */
export type Comparison = Decoded<Extract<CompareAnswer, { matches: unknown }>>;

/** The rankings for `query_embeddings`. */
export type Comparisons = Decoded<Extract<CompareAnswer, { results: unknown }>>;

export type Health = Paths['/v1/health']['get']['answers'][200]['application/json'];

export type ModelInfo = Paths['/v1/model-info']['get']['answers'][200]['application/json'];
