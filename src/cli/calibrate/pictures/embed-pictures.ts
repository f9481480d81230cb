import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readUnitEmbedding } from '../../../similarity/embedding.ts';
import { CalibrationError } from '../calibration-error.ts';
import type { ModelInfo, ServiceClient } from '../service/client.ts';
import type { CachedFace, EmbeddingCache } from './embedding-cache.ts';

/** After so many pictures in a row without an answer, the service is considered gone. */
const MAX_UNANSWERED = 3;

export interface EmbeddedPicture {
  sha256: string;
  /** A unit vector. */
  embedding: Float64Array;
  detectionScore: number;
  quality: number | undefined;
}

export interface FailedPicture {
  /** The error code of the service, or FILE_UNREADABLE, NO_ANSWER, HTTP_<status>. */
  code: string;
  reason: string;
}

export type PictureResult = EmbeddedPicture | FailedPicture;

/** By the name of the picture. */
export type PictureResults = Map<string, PictureResult>;

export const isEmbedded = (result: PictureResult): result is EmbeddedPicture => 'embedding' in result;

export interface EmbedPicturesOptions {
  /** Relative to the folder. */
  names: string[];
  folder: string;
  client: ServiceClient;
  cache: EmbeddingCache;
  info: ModelInfo;
  /** Pictures in progress at the same time. */
  concurrency: number;
  signal: AbortSignal;
  /** Called after each picture. */
  onPicture: (outcome: { cached: boolean; failed: boolean }) => void;
}

/**
 * Embeds every picture; files with equal content are sent once.
 *
 * @throws {CalibrationError} if the service is gone, or changes its model.
 */
export async function embedPictures(options: EmbedPicturesOptions): Promise<PictureResults> {
  const { names, concurrency, signal, onPicture } = options;
  const embedder = new PictureEmbedder(options);
  const results: PictureResults = new Map();
  const waiting = names.values();
  let failure: unknown;
  const lane = async () => {
    for (const name of waiting) {
      if (failure !== undefined) return;
      signal.throwIfAborted();
      const { cached, result } = await embedder.embed(name);
      results.set(name, result);
      onPicture({ cached, failed: !isEmbedded(result) });
    }
  };
  const lanes = Array.from({ length: concurrency }, () =>
    lane().catch((error) => {
      failure ??= error;
    }),
  );
  // All lanes end before the failure is thrown, so that none still writes to the cache afterwards.
  await Promise.all(lanes);
  if (failure !== undefined) throw failure;
  return results;
}

class PictureEmbedder {
  readonly #options: EmbedPicturesOptions;
  readonly #inProgress = new Map<string, Promise<PictureResult>>();
  #unanswered = 0;

  constructor(options: EmbedPicturesOptions) {
    this.#options = options;
  }

  async embed(name: string): Promise<{ cached: boolean; result: PictureResult }> {
    const { folder, cache, info } = this.#options;
    const bytes = await readFile(join(folder, name)).catch((error: NodeJS.ErrnoException) => error);
    if (!Buffer.isBuffer(bytes)) return fail('FILE_UNREADABLE', `The file cannot be read (${bytes.code}).`);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const known = cache.get(sha256);
    if (known) return { cached: true, result: readFace(sha256, known) };
    // The service refuses such a body before it has read it, which would look like a broken connection here.
    if (bytes.length > info.limits.max_image_size)
      return fail('IMAGE_TOO_LARGE', `The file has ${bytes.length} bytes.`);
    const result = this.#inProgress.get(sha256) ?? this.#request(sha256, bytes);
    this.#inProgress.set(sha256, result);
    return { cached: false, result: await result };
  }

  async #request(sha256: string, bytes: Buffer): Promise<PictureResult> {
    const { client, cache, info } = this.#options;
    const answer = await client.embed(bytes);
    if ('code' in answer) {
      this.#unanswered = answer.code === 'NO_ANSWER' ? this.#unanswered + 1 : 0;
      if (this.#unanswered >= MAX_UNANSWERED)
        throw new CalibrationError(`The service no longer answers: ${answer.reason}`);
      return answer;
    }
    this.#unanswered = 0;
    const { embedding, detection_score, quality, model } = answer;
    if (model.embedding_space !== info.embedding_space)
      throw new CalibrationError(
        `The service changed its model during the measurement, from ${info.embedding_space} to ` +
          `${model.embedding_space}. Measure again when the model no longer changes.`,
      );
    const face = { embedding, detection_score, quality: quality?.score };
    cache.add(sha256, face);
    return readFace(sha256, face);
  }
}

function readFace(sha256: string, { embedding, detection_score, quality }: CachedFace): EmbeddedPicture {
  return {
    sha256,
    embedding: readUnitEmbedding(embedding, 'embedding'),
    detectionScore: detection_score,
    quality,
  };
}

function fail(code: string, reason: string): { cached: boolean; result: FailedPicture } {
  return { cached: false, result: { code, reason } };
}
