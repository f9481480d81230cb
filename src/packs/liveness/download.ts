import { createHash, randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeNetworkError, requestSource } from '../download/http-source.ts';
import { readBody } from '../download/read-body.ts';
import { type PackLog, reportDownload } from '../download/report-download.ts';
import { displayUrl, SourceError } from '../download/source-error.ts';
import { DOWNLOAD_TUNING, type DownloadTuning } from '../download/tuning.ts';
import { withInstallLock } from '../install/install-lock.ts';
import { discard, renameDurably, writing } from '../install/storage.ts';
import { PackDownloadError } from '../pack-errors.ts';
import type { PublishedLiveness } from './catalogue.ts';
import { publishedPath } from './weights.ts';

export interface LivenessDownload {
  modelsDir: string;
  /** If not empty, the only source is `<baseUrl>/<name>/<file>`. */
  baseUrl: string;
  log: PackLog;
  signal?: AbortSignal | undefined;
  tuning?: DownloadTuning;
}

/**
 * Downloads a network of the catalogue into its folder. It has a megabyte or two, so that it is held in memory until its hash is
 * known, and an attempt that breaks off begins again. Processes that share `modelsDir` take turns; what the first one installed is
 * downloaded again by none, if `isInstalled` says so.
 *
 * @throws {PackDownloadError} when all sources failed. The message says why for each.
 * @throws {PackStorageError} when the folder cannot be written.
 * @throws the signal's reason when it is aborted.
 */
export async function downloadLiveness(
  published: PublishedLiveness,
  isInstalled: () => Promise<boolean>,
  { modelsDir, baseUrl, log, signal, tuning = DOWNLOAD_TUNING }: LivenessDownload,
): Promise<void> {
  const { name } = published;
  const parent = resolve(modelsDir);
  await writing(parent, () => mkdir(parent, { recursive: true }));
  const { events, end } = reportDownload(name, log);
  const onWait = (holder: string) => events.onWait?.(holder);
  try {
    await withInstallLock(join(parent, `.${name}.lock`), { ...tuning, onWait, signal }, async (held) => {
      if (await isInstalled()) return;
      const failures: string[] = [];
      for (const source of sourcesOf(published, baseUrl)) {
        events.onSource?.(displayUrl(source));
        try {
          const bytes = await fetchFile(source, published, { tuning, signal: held });
          await place(bytes, published, parent);
          return;
        } catch (error) {
          held.throwIfAborted();
          if (!(error instanceof SourceError)) throw error;
          failures.push(error.message);
          events.onFailure?.(error.message);
        }
      }
      throw new PackDownloadError(`${name} could not be downloaded. ${failures.join(' ')}`);
    });
  } finally {
    end();
  }
}

function sourcesOf({ name, file, sources }: PublishedLiveness, baseUrl: string): URL[] {
  if (baseUrl === '') return sources.map((source) => new URL(source));
  if (!URL.canParse(baseUrl)) throw new PackDownloadError('MODEL_BASE_URL is not a URL.');
  const mirror = new URL(baseUrl);
  mirror.pathname = `${mirror.pathname.replace(/\/$/, '')}/${name}/${file.name}`;
  return [mirror];
}

type Request = Required<Pick<LivenessDownload, 'tuning'>> & { signal: AbortSignal };

/** @throws {SourceError} when the source failed permanently or too often, or has another file. */
async function fetchFile(
  source: URL,
  published: PublishedLiveness,
  { tuning, signal }: Request,
): Promise<Buffer> {
  for (let attempt = 1, pause = tuning.firstPauseMs; ; attempt++, pause *= 2) {
    try {
      return await fetchOnce(source, published, { tuning, signal });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof SourceError && error.retryable) || attempt >= tuning.attempts) throw error;
      await sleep(pause, undefined, { signal });
    }
  }
}

async function fetchOnce(
  source: URL,
  { file }: PublishedLiveness,
  { tuning, signal }: Request,
): Promise<Buffer> {
  const response = await requestSource(source, {}, { tuning, signal });
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of readBody(response, tuning.idleTimeoutMs)) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > file.bytes) break;
    }
  } catch (error) {
    signal.throwIfAborted();
    const reason = describeNetworkError(error);
    throw new SourceError(
      `The connection to ${displayUrl(source)} was lost after ${bytes} bytes (${reason}).`,
      { retryable: true },
    );
  } finally {
    response.destroy();
  }
  const content = Buffer.concat(chunks);
  if (createHash('sha256').update(content).digest('hex') === file.sha256) return content;
  throw new SourceError(`${displayUrl(source)} has another file: its SHA-256 is not ${file.sha256}.`, {
    retryable: bytes < file.bytes,
  });
}

async function place(bytes: Buffer, published: PublishedLiveness, modelsDir: string): Promise<void> {
  const path = publishedPath(published, modelsDir);
  const folder = join(modelsDir, published.name);
  const temporary = join(folder, `.${randomUUID()}`);
  try {
    await writing(folder, () => mkdir(folder, { recursive: true }));
    await writing(temporary, () => writeFile(temporary, bytes, { flush: true }));
    await renameDurably(temporary, path, folder);
  } finally {
    await discard(temporary);
  }
}
