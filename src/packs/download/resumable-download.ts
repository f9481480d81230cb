import { open } from 'node:fs/promises';
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertFreeSpace, writing } from '../install/storage.ts';
import { PackError, PackStorageError } from '../pack-errors.ts';
import { describeNetworkError, requestSource, type SourceRequestOptions } from './http-source.ts';
import type { PartialDownload, PartialState } from './partial-download.ts';
import { readBody } from './read-body.ts';
import { displayUrl, SourceError } from './source-error.ts';
import type { DownloadTuning } from './tuning.ts';

/** An attempt that received at least this many bytes more than any before resets the count of failures. */
const PROGRESS_BYTES = 1024 * 1024;

const MAX_PAUSE_MS = 10_000;

export interface ResumableDownload extends Omit<SourceRequestOptions, 'tuning'> {
  source: URL;
  partial: PartialDownload;
  /** Maximum size in bytes, so that a source cannot fill the disk. */
  maxBytes: number;
  /** Bytes that what was downloaded will need beside it when it is installed. */
  unpackedBytes: number;
  /** What is downloaded, as part of a sentence. */
  what: string;
  /** Whether the file at this path is whole, asked where the source does not say where it ends. */
  isWhole: (path: string) => Promise<boolean>;
  /** Called with the bytes received so far and the total, if it is known. */
  onProgress?: ((bytes: number, total: number | undefined) => void) | undefined;
  tuning: DownloadTuning;
}

/**
 * Downloads an archive or a file from one source into the partial file. Continues an earlier attempt, also one of another process.
 *
 * @returns whether the bytes come from more than one response. The caller must verify the content.
 * @throws {SourceError} when the source failed permanently or too often. Received bytes are kept.
 * @throws {PackStorageError} when writing failed. Received bytes are deleted, because the disk may be full.
 */
export async function downloadResumably(download: ResumableDownload): Promise<{ pieced: boolean }> {
  const { source, partial, tuning, signal } = download;
  let furthest = (await partial.stateFor(source)).bytes;
  for (let failures = 0; ; ) {
    try {
      return { pieced: (await fetchRest(download)) > 0 };
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof PackStorageError) await partial.discard();
      if (!(error instanceof SourceError) || !error.retryable) throw error;
      const { bytes } = await partial.stateFor(source);
      failures = bytes >= furthest + PROGRESS_BYTES ? 1 : failures + 1;
      if (failures >= tuning.attempts) throw error;
      furthest = Math.max(furthest, bytes);
      await sleep(pauseAfter(failures, tuning), undefined, { signal });
    }
  }
}

/**
 * Runs an action that makes a small request, again when it fails in a way that may pass.
 *
 * @throws {SourceError} when it failed permanently or too often.
 */
export async function retrying<T>(
  { tuning, signal }: Pick<ResumableDownload, 'tuning' | 'signal'>,
  action: () => Promise<T>,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await action();
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof SourceError) || !error.retryable || failures >= tuning.attempts) throw error;
      await sleep(pauseAfter(failures, tuning), undefined, { signal });
    }
  }
}

function pauseAfter(failures: number, { firstPauseMs }: DownloadTuning): number {
  return Math.min(firstPauseMs * 2 ** (failures - 1), MAX_PAUSE_MS);
}

/** Makes one request. Returns the number of earlier bytes that are now part of the whole. */
async function fetchRest(download: ResumableDownload): Promise<number> {
  const { source, partial } = download;
  const state = await partial.stateFor(source);
  if (state.bytes > 0 && state.bytes === state.total) return state.bytes;
  const response = await requestSource(source, rangeHeaders(state), download);
  try {
    const { start, total } = await determineStart(download, state, response);
    await appendBody(download, response, { start, total });
    if (endsWithConnection(response.headers)) await assertWhole(download);
    return start;
  } finally {
    response.destroy();
  }
}

function rangeHeaders({ bytes, validator }: PartialState): OutgoingHttpHeaders {
  if (bytes === 0) return {};
  const range = { range: `bytes=${bytes}-` };
  return validator === undefined ? range : { ...range, 'if-range': validator };
}

/** Where the body belongs in the whole. A source may ignore the range, or have new content. */
async function determineStart(
  download: ResumableDownload,
  state: PartialState,
  { statusCode, headers }: IncomingMessage,
): Promise<{ start: number; total: number | undefined }> {
  const { source, partial, unpackedBytes } = download;
  if (statusCode === 200) {
    const total = contentLengthOf(headers);
    await assertSize(download, total);
    await partial.begin(source, { validator: validatorOf(headers), total });
    await assertFreeSpace(partial.path, (total ?? 0) + unpackedBytes);
    return { start: 0, total };
  }
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(String(headers['content-range'])) ?? [];
  const validator = validatorOf(headers);
  const continues =
    statusCode === 206 &&
    state.bytes > 0 &&
    Number(start) === state.bytes &&
    (state.total === undefined || Number(total) === state.total) &&
    (state.validator === undefined || validator === undefined || validator === state.validator);
  if (!continues) {
    await partial.discard();
    throw new SourceError(`${displayUrl(source)} has changed since the download began.`, {
      retryable: true,
    });
  }
  await assertSize(download, Number(total));
  await assertFreeSpace(partial.path, Number(total) - state.bytes + unpackedBytes);
  return { start: state.bytes, total: Number(total) };
}

async function appendBody(
  download: ResumableDownload,
  response: IncomingMessage,
  { start, total }: { start: number; total: number | undefined },
): Promise<void> {
  const { source, partial, onProgress, tuning, signal } = download;
  const file = await writing(partial.path, () => open(partial.path, 'a'));
  let bytes = start;
  try {
    onProgress?.(bytes, total);
    for await (const chunk of readBody(response, tuning.idleTimeoutMs)) {
      signal?.throwIfAborted();
      await assertSize(download, bytes + chunk.length);
      await writing(partial.path, () => file.appendFile(chunk));
      bytes += chunk.length;
      onProgress?.(bytes, total);
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof PackError) throw error;
    throw new SourceError(
      `The connection to ${displayUrl(source)} was lost after ${bytes} bytes (${describeNetworkError(error)}).`,
      { retryable: true },
    );
  } finally {
    await file.close();
  }
  if (total !== undefined && bytes !== total) {
    throw new SourceError(`${displayUrl(source)} sent ${bytes} of ${total} bytes.`, { retryable: true });
  }
}

async function assertSize(
  { source, partial, maxBytes }: ResumableDownload,
  bytes: number | undefined,
): Promise<void> {
  if (bytes === undefined || bytes <= maxBytes) return;
  await partial.discard();
  throw new SourceError(`${displayUrl(source)} is larger than the maximum of ${maxBytes} bytes.`, {
    retryable: false,
  });
}

/** Whether nothing but the end of the connection says where the body ends, as servers of HTTP/1.0 do. It may have been cut. */
function endsWithConnection(headers: IncomingHttpHeaders): boolean {
  return headers['content-length'] === undefined && headers['transfer-encoding'] === undefined;
}

async function assertWhole({ source, partial, what, isWhole }: ResumableDownload): Promise<void> {
  if (await isWhole(partial.path)) return;
  throw new SourceError(`${displayUrl(source)} closed the connection before the end of ${what}.`, {
    retryable: true,
  });
}

/** A weak ETag means "equivalent", which is not enough to join bytes, and If-Range forbids it (RFC 9110, 13.1.5). */
function validatorOf(headers: IncomingHttpHeaders): string | undefined {
  const { etag, 'last-modified': lastModified } = headers;
  return etag?.startsWith('W/') === false ? etag : lastModified;
}

function contentLengthOf({ 'content-length': length }: IncomingHttpHeaders): number | undefined {
  return length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined;
}
