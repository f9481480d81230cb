import { type ErrorCode, ServiceError } from '../errors.ts';

export interface BodyLimit {
  bytes: number;
  /** What a larger body is answered with. */
  code: Extract<ErrorCode, 'IMAGE_TOO_LARGE' | 'REQUEST_TOO_LARGE'>;
}

/**
 * The chunks of a request body, refused as soon as they are known to be too many: by the declared length before
 * anything is read, else in mid-stream.
 *
 * @throws {ServiceError} with the limit's code; UNSUPPORTED_MEDIA_TYPE for a compressed body.
 */
export async function* readChunks(request: Request, limit: BodyLimit): AsyncGenerator<Uint8Array> {
  const tooLarge = () => new ServiceError(limit.code, { detail: `The limit is ${limit.bytes} bytes.` });
  const encoding = request.headers.get('content-encoding');
  if (encoding !== null && encoding.toLowerCase() !== 'identity') {
    throw new ServiceError('UNSUPPORTED_MEDIA_TYPE', { detail: 'Content-Encoding is not supported.' });
  }
  if (Number(request.headers.get('content-length') ?? 0) > limit.bytes) throw tooLarge();
  if (request.body === null) return;

  const reader = request.body.getReader();
  try {
    for (let size = 0; ; ) {
      const { done, value } = await readOn(reader, request);
      if (done) return;
      size += value.length;
      if (size > limit.bytes) throw tooLarge();
      yield value;
    }
  } finally {
    // Released, not cancelled: cancelling would destroy the connection before the answer is written.
    reader.releaseLock();
  }
}

async function readOn(reader: ReadableStreamDefaultReader<Uint8Array>, request: Request) {
  try {
    return await reader.read();
  } catch (cause) {
    request.signal.throwIfAborted();
    throw new ServiceError('INVALID_REQUEST', { detail: 'The body ended early.', cause });
  }
}

/** @returns the whole body in a buffer of its own. */
export async function readBody(request: Request, limit: BodyLimit): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readChunks(request, limit)) chunks.push(chunk);
  return joinChunks(chunks);
}

export function joinChunks(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    joined.set(chunk, offset);
    offset += chunk.length;
  }
  return joined;
}

/** The media type without parameters, lower case; undefined when there is no Content-Type. */
export function mediaTypeOf(request: Request): string | undefined {
  return request.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase() || undefined;
}

/**
 * Reads a JSON body.
 *
 * @throws {ServiceError} INVALID_REQUEST for what is not JSON in UTF-8. The text itself is never quoted.
 */
export async function readJson(request: Request, maxBytes: number): Promise<unknown> {
  const bytes = await readBody(request, { bytes: maxBytes, code: 'REQUEST_TOO_LARGE' });
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new ServiceError('INVALID_REQUEST', { detail: 'The body is not valid JSON.' });
  }
}
