import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ErrorCode, ServiceError } from '../../errors.ts';
import type { FairPermits } from '../../threads/fair-permits.ts';
import { ByteForwarder, type ForwardedBytes } from '../../threads/forwarded-bytes.ts';
import { discardBytes } from '../../threads/garbage.ts';
import type { Permits } from '../../threads/permits.ts';
import { type BodySource, IncomingSource, StreamSource } from './body-source.ts';
import { ByteBlocks } from './byte-blocks.ts';
import { HeldBytes } from './held-bytes.ts';
import { type Pace, watchPace } from './pace.ts';

export interface BodyLimit {
  bytes: number;
  /** The error for a larger body. */
  code: Extract<ErrorCode, 'IMAGE_TOO_LARGE' | 'REQUEST_TOO_LARGE'>;
}

export interface RequestBodyOptions {
  /** Bytes that all bodies and answers together may hold; see MAX_INFLIGHT_BYTES. */
  budget: Permits;
  /** Bodies that may arrive at a time; see MAX_UPLOADS. */
  uploads: Pick<FairPermits, 'tryTake'>;
  /** Whom the request counts for, once that is known. */
  tenant?: () => string | undefined;
  /** How fast the body has to arrive. */
  pace: Pace;
  /** Node's own request and its answer, where there are any. */
  connection?: { incoming: IncomingMessage; outgoing: ServerResponse } | undefined;
}

/** Bodies of this size are forwarded to the other thread in pieces; for smaller ones, one copy less matters more. */
const MIN_FORWARDED_BYTES = 32 << 20;
/** Bytes of a forwarded piece: joining its blocks takes a millisecond. */
const PIECE_BYTES = 4 << 20;
/** Smaller chunks are joined before they are parsed, since each call of a parser has its price. */
const MIN_PARSED_BYTES = 1024;
/** What Node reads at a time. Larger chunks are cut: a parser that finds fault with what it has read does not read on. */
const MAX_PARSED_BYTES = 64 * 1024;
/** The smallest step in which the budget is taken, so that small chunks cost little. */
const BUDGET_STEP = 64 * 1024;

/**
 * The body of one request. It is refused as soon as it is known to be too large, to exceed the budget of all bodies, or to
 * arrive too slowly. `release`, at the end of the request, returns what it took of the budget.
 */
export class RequestBody {
  readonly #request: Request;
  readonly #options: RequestBodyOptions;
  readonly #held: HeldBytes;
  #forwarder: ByteForwarder | undefined;
  #source: BodySource | undefined;
  #reserved = 0;
  #allocated = 0;
  #bytesRead = 0;
  #discarded = 0;

  constructor(request: Request, options: RequestBodyOptions) {
    this.#request = request;
    this.#options = options;
    this.#held = new HeldBytes(options.budget);
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
    this.#forwarder?.close();
    this.#held.release();
    if (this.#discarded === this.#bytesRead) return;
    // After the answer has been sent.
    setImmediate(discardBytes, this.#bytesRead - this.#discarded);
    this.#discarded = this.#bytesRead;
  }

  /** @returns the whole body in a buffer of its own. */
  async read(limit: BodyLimit): Promise<Uint8Array<ArrayBuffer>> {
    const declared = this.#declared;
    if (!(declared > 0 && declared <= limit.bytes)) {
      const blocks = new ByteBlocks((bytes) => this.#allocate(bytes));
      await this.#receive(limit, (chunk) => blocks.append(chunk));
      return blocks.take();
    }
    // Filled while it arrives: joining tens of megabytes at the end would block the event loop. The memory of a new array is
    // not touched before it is written to.
    let body: Uint8Array<ArrayBuffer> | undefined;
    let offset = 0;
    await this.#receive(limit, (chunk) => {
      body ??= new Uint8Array(declared);
      if (offset + chunk.length > declared) throw lengthMismatch();
      body.set(chunk, offset);
      offset += chunk.length;
    });
    if (body === undefined || offset !== declared) throw lengthMismatch();
    return body;
  }

  /** @returns the whole body for another thread: in a buffer of its own, or forwarded in pieces if it is large. */
  async forward(limit: BodyLimit): Promise<Uint8Array<ArrayBuffer> | ForwardedBytes> {
    const declared = this.#declared;
    if (declared > 0 && declared < MIN_FORWARDED_BYTES) return this.read(limit);
    const blocks = new ByteBlocks((bytes) => this.#allocate(bytes));
    let forwarder: ByteForwarder | undefined;
    await this.#receive(limit, (chunk) => {
      blocks.append(chunk);
      if (blocks.length < PIECE_BYTES) return;
      discardBytes(blocks.length);
      forwarder ??= this.#forwarder = new ByteForwarder();
      forwarder.send(blocks.take());
    });
    if (declared > 0 && this.#bytesRead !== declared) throw lengthMismatch();
    if (forwarder === undefined) return blocks.take();
    forwarder.send(blocks.take());
    return forwarder.bytes;
  }

  /**
   * The body in pieces that are parsed in no time, whatever the chunks in which it arrives.
   *
   * @throws {ServiceError} see `#receive`.
   * @throws {ClientDisconnected}
   */
  async *pieces(limit: BodyLimit): AsyncGenerator<Uint8Array> {
    let pieces: Uint8Array[] = [];
    const small = new ByteBlocks(undefined, MIN_PARSED_BYTES);
    let ended = false;
    let wake = () => {};
    const received = this.#receive(limit, (chunk) => {
      if (this.#bytesRead > this.#reserved) this.#reserve(Math.max(BUDGET_STEP, chunk.length));
      pieces.push(...parsedPieces(small, chunk));
      if (pieces.length > 0) wake();
    }).finally(() => {
      ended = true;
      wake();
    });
    // It may fail while a piece is parsed, when nothing awaits it.
    received.catch(() => {});
    try {
      while (!ended || pieces.length > 0) {
        const arrived = pieces;
        pieces = [];
        yield* arrived;
        if (ended || pieces.length > 0) continue;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      await received;
      if (small.length > 0) yield small.take();
    } finally {
      this.#source?.stop(new Error('The body is not read further.'));
    }
  }

  /**
   * Reads the body.
   *
   * @throws {ServiceError} the limit's code; OVERLOADED when the budget is used up or too many bodies arrive; INVALID_REQUEST
   *   when it ends early or arrives too slowly; UNSUPPORTED_MEDIA_TYPE when it is compressed.
   * @throws {ClientDisconnected}
   */
  async #receive(limit: BodyLimit, take: (chunk: Uint8Array) => void): Promise<void> {
    const { connection, pace } = this.#options;
    const tooLarge = () => new ServiceError(limit.code, { detail: `The limit is ${limit.bytes} bytes.` });
    const encoding = this.#request.headers.get('content-encoding');
    if (encoding !== null && encoding.toLowerCase() !== 'identity') {
      throw new ServiceError('UNSUPPORTED_MEDIA_TYPE', { detail: 'Content-Encoding is not supported.' });
    }
    const declared = this.#declared;
    if (declared > limit.bytes) throw tooLarge();
    this.#reserve(declared);
    const endUpload = this.#beginUpload();
    const source = connection
      ? new IncomingSource(connection.incoming)
      : new StreamSource(this.#request.body);
    this.#source = source;
    this.#invite();
    const endWatch = watchPace(
      pace,
      () => this.#bytesRead,
      (error) => source.stop(error),
    );
    try {
      await source.read((chunk) => {
        this.#bytesRead += chunk.length;
        if (this.#bytesRead > limit.bytes) throw tooLarge();
        take(chunk);
      });
    } finally {
      endWatch();
      endUpload();
    }
  }

  #beginUpload(): () => void {
    const end = this.#options.uploads.tryTake(1, this.#options.tenant?.());
    if (end) return end;
    throw new ServiceError('OVERLOADED', {
      message: 'The service receives as many uploads as it may.',
      reason: 'uploads',
      retryAfter: 1,
    });
  }

  /** Asks a caller for the body who waits for that. Until here the head alone could refuse the request. */
  #invite(): void {
    const { connection } = this.#options;
    if (connection && expectsContinue(connection.incoming)) connection.outgoing.writeContinue();
  }

  /** Counts memory that is about to be allocated, as far as the declared length does not cover it. */
  #allocate(bytes: number): void {
    this.#allocated += bytes;
    if (this.#allocated > this.#reserved) this.#reserve(this.#allocated - this.#reserved);
  }

  #reserve(bytes: number): void {
    this.#held.take(bytes);
    this.#reserved += bytes;
  }

  /**
   * Takes bytes of the budget until `release`, for data derived from the body.
   *
   * @throws {ServiceError} OVERLOADED.
   */
  hold(bytes: number): void {
    this.#held.take(bytes);
  }
}

/** The chunk in pieces for a parser, or none while there are too few bytes. */
function parsedPieces(small: ByteBlocks, chunk: Uint8Array): Uint8Array[] {
  let bytes = chunk;
  if (small.length > 0 || chunk.length < MIN_PARSED_BYTES) {
    small.append(chunk);
    if (small.length < MIN_PARSED_BYTES) return [];
    bytes = small.take();
  }
  const pieces: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; start += MAX_PARSED_BYTES) {
    pieces.push(bytes.subarray(start, start + MAX_PARSED_BYTES));
  }
  return pieces;
}

/** HTTP/1.0 has no such expectation, and the server refuses all others. */
function expectsContinue({ headers, httpVersion }: IncomingMessage): boolean {
  return headers.expect !== undefined && httpVersion === '1.1';
}

function lengthMismatch(): ServiceError {
  return new ServiceError('INVALID_REQUEST', { detail: 'The body has not the length that was declared.' });
}
