import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { writing } from '../install/storage.ts';
import { PackError, PackStorageError } from '../pack-errors.ts';
import {
  askSource,
  createSourceDispatcher,
  describeNetworkError,
  displayUrl,
  type SourceAnswer,
  SourceError,
} from './http-source.ts';
import type { PartialArchive, PartialState } from './partial-archive.ts';
import type { DownloadTuning } from './tuning.ts';

/** An attempt that brought at least so many bytes more than any before does not count against the limit. */
const PROGRESS_BYTES = 1024 * 1024;

const LONGEST_PAUSE_MS = 10_000;

export interface ArchiveDownload {
  source: URL;
  partial: PartialArchive;
  /** An archive that is larger, in bytes, is given up: a source must not be able to fill the disk. */
  mostBytes: number;
  /** Bytes so far, and of the whole where that is known. */
  onProgress?: ((bytes: number, total: number | undefined) => void) | undefined;
  tuning: DownloadTuning;
  signal?: AbortSignal | undefined;
}

/**
 * Downloads an archive from one source into the partial file, going on where an earlier attempt ended, also one of
 * another process.
 *
 * @returns whether the bytes come from more than one answer. What they are must be checked by the caller.
 * @throws {SourceError} when the source failed for good. What came so far is kept.
 * @throws {PackStorageError} when the disk failed. A full disk is given back what came so far.
 */
export async function downloadArchive(download: ArchiveDownload): Promise<{ pieced: boolean }> {
  const { source, partial, tuning, signal } = download;
  const dispatcher = createSourceDispatcher(tuning);
  try {
    let furthest = (await partial.stateFor(source)).bytes;
    for (let failures = 0; ; ) {
      try {
        return { pieced: (await fetchRest(download, dispatcher)) > 0 };
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof PackStorageError) await partial.discard();
        if (!(error instanceof SourceError) || !error.passing) throw error;
        const { bytes } = await partial.stateFor(source);
        failures = bytes >= furthest + PROGRESS_BYTES ? 1 : failures + 1;
        if (failures >= tuning.attempts) throw error;
        furthest = Math.max(furthest, bytes);
        const pause = Math.min(tuning.firstPauseMs * 2 ** (failures - 1), LONGEST_PAUSE_MS);
        await sleep(pause, undefined, { signal });
      }
    }
  } finally {
    await dispatcher.destroy();
  }
}

/** One request. Returns how many bytes were there before it and are part of the archive now. */
async function fetchRest(download: ArchiveDownload, dispatcher: Dispatcher): Promise<number> {
  const { source, partial, signal } = download;
  const state = await partial.stateFor(source);
  if (state.bytes > 0 && state.bytes === state.total) return state.bytes;
  const answer = await askSource(source, rangeHeaders(state), { dispatcher, signal });
  try {
    const { start, total } = await agreeOnStart(download, state, answer);
    await appendBody(download, answer, { start, total });
    return start;
  } finally {
    answer.body.destroy();
  }
}

function rangeHeaders({ bytes, validator }: PartialState): Record<string, string> {
  if (bytes === 0) return {};
  const range = { range: `bytes=${bytes}-` };
  return validator === undefined ? range : { ...range, 'if-range': validator };
}

/** Where the answer's bytes belong. A source may ignore the range, or have another archive by now. */
async function agreeOnStart(
  download: ArchiveDownload,
  state: PartialState,
  { status, headers }: SourceAnswer,
): Promise<{ start: number; total: number | undefined }> {
  const { source, partial } = download;
  if (status === 200) {
    const total = wholeNumber(headers['content-length']);
    await refuseLarger(download, total);
    await partial.begin(source, { validator: validatorOf(headers), total });
    return { start: 0, total };
  }
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(String(headers['content-range'])) ?? [];
  const continues =
    status === 206 &&
    state.bytes > 0 &&
    Number(start) === state.bytes &&
    (state.total === undefined || Number(total) === state.total) &&
    (state.validator === undefined ||
      validatorOf(headers) === undefined ||
      validatorOf(headers) === state.validator);
  if (!continues) {
    await partial.discard();
    throw new SourceError(`${displayUrl(source)} has another archive than when the download began.`, {
      passing: true,
    });
  }
  await refuseLarger(download, Number(total));
  return { start: state.bytes, total: Number(total) };
}

async function appendBody(
  download: ArchiveDownload,
  { body }: SourceAnswer,
  { start, total }: { start: number; total: number | undefined },
): Promise<void> {
  const { source, partial, onProgress, signal } = download;
  const file = await writing(partial.path, () => open(partial.path, 'a'));
  let bytes = start;
  try {
    onProgress?.(bytes, total);
    for await (const chunk of body) {
      signal?.throwIfAborted();
      await refuseLarger(download, bytes + chunk.length);
      await writing(partial.path, () => file.appendFile(chunk));
      bytes += chunk.length;
      onProgress?.(bytes, total);
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof PackError) throw error;
    throw new SourceError(
      `${displayUrl(source)} broke off after ${bytes} bytes (${describeNetworkError(error)}).`,
      { passing: true },
    );
  } finally {
    await file.close();
  }
  if (total !== undefined && bytes !== total) {
    throw new SourceError(`${displayUrl(source)} sent ${bytes} of ${total} bytes.`, { passing: true });
  }
}

async function refuseLarger(
  { source, partial, mostBytes }: ArchiveDownload,
  bytes: number | undefined,
): Promise<void> {
  if (bytes === undefined || bytes <= mostBytes) return;
  await partial.discard();
  throw new SourceError(
    `${displayUrl(source)} is larger than the pack's archive can be (more than ${mostBytes} bytes).`,
    { passing: false },
  );
}

/** A weak ETag says "equivalent", which is not enough to join bytes; If-Range does not take it (RFC 9110, 13.1.5). */
function validatorOf(headers: SourceAnswer['headers']): string | undefined {
  const { etag, 'last-modified': lastModified } = headers;
  if (typeof etag === 'string' && !etag.startsWith('W/')) return etag;
  return typeof lastModified === 'string' ? lastModified : undefined;
}

function wholeNumber(text: string | string[] | undefined): number | undefined {
  return typeof text === 'string' && /^\d+$/.test(text) ? Number(text) : undefined;
}
