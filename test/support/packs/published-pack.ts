import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import type { PackSource } from '../../../src/packs/catalogue/published-pack.ts';
import { obtainPack } from '../../../src/packs/download/obtain-pack.ts';
import { DOWNLOAD_TUNING, type DownloadTuning } from '../../../src/packs/download/tuning.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { type Answer, type FileServer, type ReceivedRequest, startFileServer } from './file-server.ts';
import { TINY, type TinyPack, tinyPack } from './tiny-packs.ts';

/** Few attempts, and pauses short enough for tests. */
export const TUNING: DownloadTuning = { ...DOWNLOAD_TUNING, attempts: 3, firstPauseMs: 5 };

/** For sources that stall. Too short for a regular download on a busy machine. */
export const IMPATIENT: DownloadTuning = { ...TUNING, headersTimeoutMs: 500, idleTimeoutMs: 500 };

/** The only files in MODELS_DIR when the pack is installed. */
export const INSTALLED = ['tiny/det.onnx', 'tiny/rec.onnx'];

/** Ignores the proxy of this machine until the current test ends. */
export function withoutProxies(): void {
  for (const name of ['http_proxy', 'https_proxy', 'no_proxy']) vi.stubEnv(name, '');
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
}

export interface PublishedPack {
  server: FileServer;
  tiny: TinyPack;
  modelsDir: string;
  messages: string[];
  obtain: (overrides?: Partial<Parameters<typeof obtainPack>[0]>) => ReturnType<typeof obtainPack>;
}

/**
 * A pack on a server with these answers.
 *
 * @param sourcesOf its sources at the server's URL; by default the archives /first/tiny.zip and /second/tiny.zip.
 */
export async function publishPack(
  answer: (request: ReceivedRequest, index: number, archive: Buffer) => Answer,
  tiny = tinyPack(),
  sourcesOf?: (url: string) => readonly PackSource[],
): Promise<PublishedPack> {
  const modelsDir = await temporaryFolder();
  const partial = join(modelsDir, '.tiny.zip.partial');
  const waitUntilWritten = (bytes: number) =>
    vi.waitUntil(async () => (await sizeOf(partial)) >= bytes, { timeout: 60_000 });
  const server = await startFileServer(
    (request, index) => answer(request, index, tiny.archive),
    async (bytes) => void (await waitUntilWritten(bytes)),
  );
  onTestFinished(server.close);
  const messages: string[] = [];
  const log = (_: object, message: string) => messages.push(message);
  const pack = {
    ...tiny.pack,
    sources:
      sourcesOf?.(server.url) ?? ['first', 'second'].map((folder) => archiveAt(server.url, folder, tiny)),
  };
  const obtain: PublishedPack['obtain'] = (overrides = {}) =>
    obtainPack({
      name: TINY,
      modelsDir,
      autoDownload: true,
      baseUrl: '',
      log: { info: log, warn: log },
      catalogue: new Map([[TINY, pack]]),
      tuning: TUNING,
      ...overrides,
    });
  return { server, tiny, modelsDir, messages, obtain };
}

function archiveAt(url: string, folder: string, { archive }: TinyPack): PackSource {
  return { kind: 'archive', url: `${url}/${folder}/tiny.zip`, bytes: archive.length };
}

/** Size of a file in bytes; zero if it does not exist. */
export async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

export const pathsOf = ({ requests }: FileServer) => requests.map(({ path }) => path);
export const rangesOf = ({ requests }: FileServer) => requests.map(({ headers }) => headers.range);
