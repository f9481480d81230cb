import type { IncomingMessage } from 'node:http';
import { type ErrorCode, ServiceError } from '../../errors.ts';
import { ByteForwarder, type ForwardedBytes } from '../../threads/forwarded-bytes.ts';
import { discardBytes } from '../../threads/garbage.ts';
import type { Permits } from '../../threads/permits.ts';

export interface BodyLimit {
  bytes: number;
  /** The error for a larger body. */
  code: Extract<ErrorCode, 'IMAGE_TOO_LARGE' | 'REQUEST_TOO_LARGE'>;
}

/** The client closed the connection, so it cannot be answered. */
export class ClientDisconnected extends Error {}

export interface RequestBodyOptions {
  /** Bytes that all bodies together may hold; see MAX_INFLIGHT_BYTES. */
  budget: Permits;
  /** Maximum time for the body to arrive, in milliseconds. */
  timeout: number;
  /** Node's own request, if there is one: it is read without a web stream in between. */
  incoming?: IncomingMessage | undefined;
}

/** The smallest step in which bytes without a declared length are counted, so that small chunks cost little. */
const BUDGET_STEP = 64 * 1024;

/** Bodies of this size are forwarded to the other thread in pieces; for smaller ones, one copy less matters more. */
const MIN_FORWARDED_BYTES = 32 << 20;
/** Bytes of a forwarded piece: joining its chunks takes a millisecond. */
const PIECE_BYTES = 4 << 20;

/**
 * The body of one request. It is refused as soon as it is known to be too large, to exceed the budget of all bodies, or to
 * arrive too slowly. `release`, at the end of the request, returns what it took of the budget.
 */
export class RequestBody {
  readonly #request: Request;
  readonly #options: RequestBodyOptions;
  readonly #releases: (() => void)[] = [];
  #reserved = 0;
  #bytesRead = 0;

  constructor(request: Request, options: RequestBodyOptions) {
    this.#request = request;
    this.#options = options;
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** The media type without parameters, in lower case; undefined without a Content-Type. */
  get mediaType(): string | undefined {
    return this.contentType?.split(';', 1)[0]?.trim().toLowerCase() || undefined;
  }

  /** The declared length in bytes; 0 when there is none. Node's parser enforces it. */
  get #declared(): number {
    return Number(this.#request.headers.get('content-length') ?? 0);
  }

  get contentType(): string | undefined {
    return this.#request.headers.get('content-type') ?? undefined;
  }

  /** Returns what the body holds of the budget, and frees its memory. */
  release(): void {
    for (const release of this.#releases.splice(0)) release();
  }

  /** @returns the whole body in a buffer of its own. */
  async read(limit: BodyLimit): Promise<Uint8Array<ArrayBuffer>> {
    const declared = this.#declared;
    if (!(declared > 0 && declared <= limit.bytes)) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of this.chunks(limit)) chunks.push(chunk);
      return joinChunks(chunks);
    }
    // Filled while it arrives: joining tens of megabytes at the end would block the event loop. The memory of a new array is
    // not touched before it is written to.
    let body: Uint8Array<ArrayBuffer> | undefined;
    let offset = 0;
    for await (const chunk of this.chunks(limit)) {
      body ??= new Uint8Array(declared);
      if (offset + chunk.length > declared) break;
      body.set(chunk, offset);
      offset += chunk.length;
    }
    if (body === undefined || offset !== declared) throw lengthMismatch();
    return body;
  }

  /** @returns the whole body for another thread: in a buffer of its own, or forwarded in pieces if it is large. */
  async forward(limit: BodyLimit): Promise<Uint8Array<ArrayBuffer> | ForwardedBytes> {
    const declared = this.#declared;
    if (declared > 0 && declared < MIN_FORWARDED_BYTES) return this.read(limit);
    let forwarder: ByteForwarder | undefined;
    let chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of this.chunks(limit)) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes < PIECE_BYTES) continue;
      forwarder ??= this.#openForwarder();
      forwarder.send(joinChunks(chunks));
      discardBytes(bytes);
      chunks = [];
      bytes = 0;
    }
    if (declared > 0 && this.#bytesRead !== declared) throw lengthMismatch();
    if (forwarder === undefined) return joinChunks(chunks);
    forwarder.send(joinChunks(chunks));
    return forwarder.bytes;
  }

  #openForwarder(): ByteForwarder {
    const forwarder = new ByteForwarder();
    this.#releases.push(() => forwarder.close());
    return forwarder;
  }

  /**
   * The chunks of the body as they arrive.
   *
   * @throws {ServiceError} the limit's code; OVERLOADED when the budget is used up; INVALID_REQUEST when it ends early or
   *   arrives too slowly; UNSUPPORTED_MEDIA_TYPE when it is compressed.
   * @throws {ClientDisconnected}
   */
  async *chunks(limit: BodyLimit): AsyncGenerator<Uint8Array> {
    const tooLarge = () => new ServiceError(limit.code, { detail: `The limit is ${limit.bytes} bytes.` });
    const encoding = this.#request.headers.get('content-encoding');
    if (encoding !== null && encoding.toLowerCase() !== 'identity') {
      throw new ServiceError('UNSUPPORTED_MEDIA_TYPE', { detail: 'Content-Encoding is not supported.' });
    }
    const declared = this.#declared;
    if (declared > limit.bytes) throw tooLarge();
    this.#reserve(declared);
    // Runs after the answer has been sent.
    this.#releases.push(() => void setImmediate(discardBytes, this.#bytesRead));

    const source = this.#source();
    const deadline = startDeadline(this.#options.timeout);
    try {
      for (;;) {
        const { done, value } = await this.#next(source, deadline.expired);
        if (done) return;
        this.#bytesRead += value.length;
        if (this.#bytesRead > limit.bytes) throw tooLarge();
        if (this.#bytesRead > this.#reserved) this.#reserve(Math.max(BUDGET_STEP, value.length));
        yield value;
      }
    } finally {
      deadline.clear();
      // Not awaited: a source that sends nothing would delay the answer.
      source.return?.()?.catch(() => {});
    }
  }

  #source(): AsyncIterator<Uint8Array> {
    const { incoming } = this.#options;
    // Not destroyed when reading stops early, which would reset the connection before the caller reads the answer.
    if (incoming) return incoming.iterator({ destroyOnReturn: false });
    const { body } = this.#request;
    return body === null ? emptySource() : body.values({ preventCancel: true });
  }

  async #next(
    source: AsyncIterator<Uint8Array>,
    expired: Promise<never>,
  ): Promise<IteratorResult<Uint8Array>> {
    try {
      return await Promise.race([source.next(), expired]);
    } catch (error) {
      if (error instanceof ServiceError) throw error;
      throw new ClientDisconnected('The caller disconnected while it sent the body.', { cause: error });
    }
  }

  #reserve(bytes: number): void {
    this.hold(bytes);
    this.#reserved += bytes;
  }

  /**
   * Takes bytes of the budget until `release`: for the body, or for data derived from it.
   *
   * @throws {ServiceError} OVERLOADED.
   */
  hold(bytes: number): void {
    const release = this.#options.budget.tryTake(bytes);
    if (release === undefined) {
      throw new ServiceError('OVERLOADED', {
        message: 'The service holds as many bytes as it may.',
        reason: 'inflight_bytes',
        retryAfter: 1,
      });
    }
    this.#releases.push(release);
  }
}

function lengthMismatch(): ServiceError {
  return new ServiceError('INVALID_REQUEST', { detail: 'The body has not the length that was declared.' });
}

function startDeadline(timeout: number): { expired: Promise<never>; clear: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new ServiceError('INVALID_REQUEST', { detail: `The body did not arrive within ${timeout} ms.` }),
      );
    }, timeout);
  });
  // It may expire between two chunks, when nothing awaits it.
  expired.catch(() => {});
  return { expired, clear: () => clearTimeout(timer) };
}

async function* emptySource(): AsyncGenerator<Uint8Array> {}

export function joinChunks(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    joined.set(chunk, offset);
    offset += chunk.length;
  }
  return joined;
}
