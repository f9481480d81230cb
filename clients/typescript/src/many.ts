import { errorOfBody, FaceEmbeddingError } from './errors.ts';
import type { ImageSource } from './image.ts';
import { decodeEmbeddings } from './json.ts';
import { readLines } from './lines.ts';
import { type ManyResult, Results } from './results.ts';
import { type Item, Source } from './source.ts';
import type { Attempt, CallOptions, Transport } from './transport.ts';

export interface ManyOptions extends CallOptions {
  /** `input`: results come in the order of the images. `ready`: as soon as each is there; read `index`. Default: `input`. */
  order?: 'input' | 'ready' | undefined;
  /** Maximum images of one request. Less are sent at a time while the service is full. Default: 8. */
  batchSize?: number | undefined;
  /** Maximum requests at a time. Default: 2. */
  concurrency?: number | undefined;
}

/** A line of an answer: a result, an error, or the end. */
interface Line extends Record<string, unknown> {
  index?: number;
  error?: string;
  done?: boolean;
}

/**
 * Embeds images in batches, of which each result is read as soon as its line comes.
 *
 * `timeoutMs` holds for each image, from when it is first sent. At its end, or when the image itself is at fault, its result is
 * an error. What would fail for all images (a wrong key, an unknown option) is thrown.
 *
 * @param request makes the request for a batch.
 * @throws {RangeError} for a batch size or a concurrency below 1, with which no image would be sent.
 */
export async function* embedEach(
  transport: Transport,
  images: Iterable<ImageSource> | AsyncIterable<ImageSource>,
  request: (images: readonly Blob[]) => Attempt,
  options: ManyOptions,
): AsyncGenerator<ManyResult, void, undefined> {
  const { order = 'input', batchSize = 8, concurrency = 2 } = options;
  assertCount('batchSize', batchSize);
  assertCount('concurrency', concurrency);
  const ending = new AbortController();
  const { signal } = ending;
  const abort = () => ending.abort(options.signal?.reason);
  if (options.signal?.aborted) abort();
  options.signal?.addEventListener('abort', abort);
  const results = new Results(order, 2 * batchSize * concurrency);
  const source = new Source(images, results);
  const worker = new BatchWorker(transport, request, results, { ...options, signal }, batchSize);
  const work = async () => {
    for (let batch = await source.take(batchSize); batch.length > 0; batch = await source.take(batchSize))
      await worker.embed(batch);
  };
  Promise.all(Array.from({ length: concurrency }, work)).then(
    () => results.end(),
    (error) => results.fail(error),
  );
  // What gives the images may be waiting for the next one.
  signal.addEventListener('abort', () => results.fail(signal.reason));
  if (signal.aborted) results.fail(signal.reason);
  try {
    yield* results.read();
  } finally {
    options.signal?.removeEventListener('abort', abort);
    // The reader may have stopped early.
    ending.abort();
    source.end();
    await worker.ended();
  }
}

function assertCount(name: string, value: number): void {
  if (!(Number.isInteger(value) && value >= 1))
    throw new RangeError(`${name} is ${value}; accepted is a whole number from 1.`);
}

/** A proxy in front of the service may take less than the service, and says so in its own words. */
const isProxysTooLarge = ({ code, status }: FaceEmbeddingError) =>
  code === 'UNEXPECTED_ANSWER' && status === 413;

class BatchWorker {
  readonly #transport: Transport;
  readonly #request: (images: readonly Blob[]) => Attempt;
  readonly #results: Results;
  readonly #options: CallOptions;
  /** Maximum images of a request, which shrinks when the service says that it is too large. */
  #size: number;
  readonly #running = new Set<Promise<void>>();

  constructor(
    transport: Transport,
    request: (images: readonly Blob[]) => Attempt,
    results: Results,
    options: CallOptions,
    size: number,
  ) {
    this.#transport = transport;
    this.#request = request;
    this.#results = results;
    this.#options = options;
    this.#size = size;
  }

  async embed(batch: readonly Item[]): Promise<void> {
    const running = this.#embed(batch);
    this.#running.add(running);
    await running.finally(() => this.#running.delete(running));
  }

  /** Waits until nothing is at the service. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  async #embed(batch: readonly Item[]): Promise<void> {
    const left = new Map(batch.map((item) => [item.index, item]));
    while (left.size > 0) {
      let part: Item[] = [];
      try {
        await this.#transport.call(
          {
            prepare: (attempt) => {
              part = [...left.values()].slice(0, this.#partSize(attempt));
              return this.#request(part.map(({ image }) => image));
            },
            read: (response, reading) => this.#read(readLines(response, reading), part, left),
          },
          this.#options,
        );
      } catch (error) {
        if (!(error instanceof FaceEmbeddingError)) throw error;
        const isTooLarge = error.code === 'REQUEST_TOO_LARGE' || isProxysTooLarge(error);
        if (isTooLarge && part.length > 1) this.#size = part.length >> 1;
        else if (error.retryable || isTooLarge) this.#giveUp(part, left, error);
        else throw error;
      }
    }
  }

  /** A batch takes as many places as it has images, and a full service has few at a time. */
  #partSize(attempt: number): number {
    // Not `>>`, which begins anew after 32 attempts.
    const size = Math.floor(this.#size / 2 ** attempt);
    return Math.max(1, Math.min(size, this.#transport.pressure.limit));
  }

  async #read(lines: AsyncIterable<Line>, part: readonly Item[], left: Map<number, Item>): Promise<void> {
    let passing: FaceEmbeddingError | undefined;
    let isComplete = false;
    for await (const line of lines) {
      const { index, error, done } = line;
      isComplete ||= done === true;
      const item = index === undefined ? undefined : part[index];
      if (item === undefined) continue;
      const failure = error === undefined ? undefined : errorOfBody(line, 0);
      if (failure?.retryable) {
        passing = failure;
        continue;
      }
      // False for an attempt that was given up, and whose answer comes nevertheless.
      if (!left.delete(item.index)) continue;
      this.#results.add(
        failure
          ? { index: item.index, error: failure }
          : decodeEmbeddings<ManyResult>({ ...line, index: item.index }),
      );
    }
    if (passing) throw passing;
    // Without this, images that an answer leaves out would be sent again and again, with no wait between.
    if (!isComplete || part.some(({ index }) => left.has(index)))
      throw new FaceEmbeddingError('CONNECTION_FAILED', 'The answer was cut off.', { retryable: true });
  }

  #giveUp(part: readonly Item[], left: Map<number, Item>, error: FaceEmbeddingError): void {
    for (const { index } of part) if (left.delete(index)) this.#results.add({ index, error });
  }
}
