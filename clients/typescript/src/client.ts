import { base64Of } from './base64.ts';
import { FaceEmbeddingError } from './errors.ts';
import { type ImageSource, readBytes, readImage } from './image.ts';
import { decodeEmbeddings, encodeBody } from './json.ts';
import { embedEach, type ManyOptions } from './many.ts';
import {
  type Attempt,
  type Call,
  type CallOptions,
  type ClientOptions,
  MAX_TIMER_MS,
  Transport,
} from './transport.ts';
import type {
  Aligned,
  AlignedFaceResult,
  AllFaces,
  BatchOptions,
  CompareRequest,
  Comparison,
  Comparisons,
  EmbeddedAlignedFace,
  EmbeddedBatch,
  EmbeddedFace,
  EmbeddedFaces,
  EmbedOptions,
  FaceResult,
  FacesResult,
  FusedBatch,
  Health,
  ManyQueries,
  ModelInfo,
  OneFace,
  OneQuery,
} from './types.ts';

type Images = Iterable<ImageSource> | AsyncIterable<ImageSource>;

/** What the client knows of the service's state. */
export interface ClientState {
  /** Images that are at the service, and images that may be there at a time. */
  open: number;
  limit: number;
  /** Calls that wait until they may be sent. */
  waiting: number;
  /** `open`: the service has refused everything for `openAfterMs`, and is asked again ever more rarely. */
  circuit: 'closed' | 'open';
}

/**
 * A client of face-embedding-service. One for a whole program: its calls share connections, and what is known of how much the
 * service can take.
 *
 * Every call repeats what may succeed later (docs/ERRORS.md) until its time is over, and throws a `FaceEmbeddingError`; one whose
 * signal is aborted throws the reason of the signal.
 */
export class FaceEmbeddingClient {
  readonly #transport: Transport;

  /** @throws {TypeError} when `url` is none. */
  constructor(options: ClientOptions) {
    this.#transport = new Transport(options);
  }

  get state(): ClientState {
    const { open, limit, waiting, isCircuitOpen } = this.#transport.pressure;
    return { open, limit, waiting, circuit: isCircuitOpen ? 'open' : 'closed' };
  }

  /**
   * Embeds the face of a picture; with `faces: 'all'`, every face.
   *
   * @param image a file, bytes, a data URL, or the path of a file.
   */
  embed(image: ImageSource, options: EmbedOptions & CallOptions & AllFaces): Promise<EmbeddedFaces>;
  embed(image: ImageSource, options: EmbedOptions & CallOptions & Aligned): Promise<EmbeddedAlignedFace>;
  embed(image: ImageSource, options?: EmbedOptions & CallOptions & OneFace): Promise<EmbeddedFace>;
  embed(
    image: ImageSource,
    options?: EmbedOptions & CallOptions,
  ): Promise<EmbeddedFace | EmbeddedFaces | EmbeddedAlignedFace>;
  async embed(
    image: ImageSource,
    options?: EmbedOptions & CallOptions,
  ): Promise<EmbeddedFace | EmbeddedFaces | EmbeddedAlignedFace> {
    const { call, query } = splitOptions(options);
    const body = await readImage(image);
    const headers = { 'Content-Type': 'application/octet-stream' };
    return this.#json({ method: 'POST', path: embedPath(query), headers, body, images: 1 }, call);
  }

  /**
   * Embeds several pictures in one request, whose answer has a result or an error for each; with `fuse: true`, also one embedding
   * of the person that they show.
   */
  embedBatch(
    images: readonly ImageSource[],
    options: BatchOptions & CallOptions & { fuse: true },
  ): Promise<FusedBatch>;
  embedBatch(images: readonly ImageSource[], options?: BatchOptions & CallOptions): Promise<EmbeddedBatch>;
  async embedBatch(
    images: readonly ImageSource[],
    options?: BatchOptions & CallOptions,
  ): Promise<EmbeddedBatch> {
    const { call, query } = splitOptions(options);
    const path = embedPath(query);
    // In a form, a single picture is no batch, and is answered otherwise.
    if (images.length === 1) return this.#json<EmbeddedBatch>(await jsonBatchOf(path, images), call);
    const read = await Promise.all(images.map(readImage));
    const blobs = read.map((image) => (image instanceof Blob ? image : new Blob([image])));
    return this.#json<EmbeddedBatch>(batchOf(path, blobs), call);
  }

  /**
   * Embeds any number of pictures, a few at a time. They are read as they are needed, and no faster than results are taken.
   *
   * @returns a result for each, in the order of `order`: what was found, or an `error`.
   */
  embedMany(
    images: Images,
    options: EmbedOptions & ManyOptions & AllFaces,
  ): AsyncGenerator<FacesResult, void>;
  embedMany(
    images: Images,
    options: EmbedOptions & ManyOptions & Aligned,
  ): AsyncGenerator<AlignedFaceResult, void>;
  embedMany(images: Images, options?: EmbedOptions & ManyOptions & OneFace): AsyncGenerator<FaceResult, void>;
  embedMany(
    images: Images,
    options?: EmbedOptions & ManyOptions,
  ): AsyncGenerator<FaceResult | FacesResult | AlignedFaceResult, void>;
  embedMany(
    images: Images,
    options: EmbedOptions & ManyOptions = {},
  ): AsyncGenerator<FaceResult | FacesResult | AlignedFaceResult, void> {
    const { order, batchSize, concurrency, ...others } = options;
    const { call, query } = splitOptions(others);
    const headers = { Accept: 'application/x-ndjson' };
    const request = (blobs: readonly Blob[]) => ({ ...batchOf(embedPath(query), blobs), headers });
    return embedEach(this.#transport, images, request, { ...call, order, batchSize, concurrency });
  }

  /** Ranks references by their distance to a query. Both may be embeddings or pictures. */
  compare(request: CompareRequest & OneQuery, options?: CallOptions): Promise<Comparison>;
  compare(request: CompareRequest & ManyQueries, options?: CallOptions): Promise<Comparisons>;
  compare(request: CompareRequest, options?: CallOptions): Promise<Comparison | Comparisons>;
  async compare(request: CompareRequest, options: CallOptions = {}): Promise<Comparison | Comparisons> {
    const body = JSON.stringify(await encodeBody({ ...request, encoding_format: 'base64' }));
    const headers = { 'Content-Type': 'application/json' };
    const images = picturesIn(request);
    return this.#json({ method: 'POST', path: '/v1/compare', headers, body, images }, options);
  }

  /** Whether the service can embed. It is asked once; that it cannot is an answer, too. */
  async health(options: CallOptions = {}): Promise<Health> {
    const { signal = new AbortController().signal, timeoutMs = 5_000 } = options;
    const attempt: Attempt = { method: 'GET', path: '/v1/health', images: 0, statuses: [200, 503] };
    const deadline = performance.now() + Math.min(timeoutMs, MAX_TIMER_MS);
    const read = async (response: Response) => {
      const health = (await readJson(response)) as Health;
      // A proxy answers with 503, too.
      if (typeof health?.status === 'string') return health;
      throw new FaceEmbeddingError('UNEXPECTED_ANSWER', 'The answer does not say how the service is.', {
        status: response.status,
        retryable: true,
      });
    };
    return this.#transport.attempt(attempt, read, { ...options, signal, deadline });
  }

  /** The loaded model, its measured thresholds, and the limits in force. */
  modelInfo(options: CallOptions = {}): Promise<ModelInfo> {
    return this.#json<ModelInfo>({ method: 'GET', path: '/v1/model-info', images: 0 }, options);
  }

  #json<T>(attempt: Attempt, options: CallOptions): Promise<T> {
    const call: Call<T> = {
      prepare: () => attempt,
      read: async (response) => decodeEmbeddings<T>(await readJson(response)),
    };
    return this.#transport.call(call, options);
  }
}

/** Tells what concerns the call from what the service is asked. */
function splitOptions(options: BatchOptions & CallOptions = {}): { call: CallOptions; query: BatchOptions } {
  const { signal, timeoutMs, attemptTimeoutMs, requestId, ...query } = options;
  return { call: { signal, timeoutMs, attemptTimeoutMs, requestId }, query };
}

function embedPath(query: BatchOptions): string {
  const parameters = new URLSearchParams({ encoding_format: 'base64' });
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) parameters.set(name, String(value));
  return `/v1/embed?${parameters}`;
}

function batchOf(path: string, images: readonly Blob[]): Attempt {
  const body = new FormData();
  for (const image of images) body.append('image', image, 'image');
  return { method: 'POST', path, body, images: images.length };
}

async function jsonBatchOf(path: string, images: readonly ImageSource[]): Promise<Attempt> {
  const read = await Promise.all(images.map(readBytes));
  const body = JSON.stringify({ images: read.map(base64Of) });
  const headers = { 'Content-Type': 'application/json' };
  return { method: 'POST', path, headers, body, images: images.length };
}

/** How many pictures a comparison has, each of which takes a place. */
function picturesIn({ query_image, reference_embeddings }: CompareRequest): number {
  const references = Array.isArray(reference_embeddings) ? reference_embeddings : [];
  return (query_image === undefined ? 0 : 1) + references.filter(({ image }) => image !== undefined).length;
}

/** @throws {FaceEmbeddingError} UNEXPECTED_ANSWER. */
async function readJson(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FaceEmbeddingError('UNEXPECTED_ANSWER', 'The answer is not JSON.', {
      status: response.status,
      cause,
    });
  }
}
