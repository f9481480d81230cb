import { CATALOGUE, type Catalogue, type CataloguePack } from './catalogue.ts';
import type { PackLog } from './download/report-download.ts';
import type { DownloadTuning } from './download/tuning.ts';
import type { ModelPack } from './pack.ts';
import {
  PackDownloadError,
  PackError,
  PackMissingError,
  PackStorageError,
  PackUnavailableError,
} from './pack-errors.ts';
import { packFolder, resolvePack, SYNTHETIC_PACK } from './resolve.ts';

export interface ObtainOptions {
  /** A pack of the catalogue, `synthetic`, or a folder in `modelsDir`. */
  name: string;
  modelsDir: string;
  /** Whether a missing pack of the catalogue is downloaded. */
  autoDownload: boolean;
  /** A mirror that is asked instead of the public sources; empty for those. */
  baseUrl: string;
  log: PackLog;
  signal?: AbortSignal | undefined;
  catalogue?: Catalogue;
  tuning?: DownloadTuning;
}

/**
 * Finds and verifies a pack, downloading it first where it is missing and that is allowed. Safe to call again after a
 * failure: a download goes on where it ended.
 *
 * @throws {PackUnavailableError} when there are no weights to be had; the message tells the ways to get them.
 * @throws {PackInvalidError} when both files are there but wrong: they are the operator's to replace.
 * @throws the signal's reason when it fires.
 */
export async function obtainPack(options: ObtainOptions): Promise<ModelPack> {
  const { name, catalogue = CATALOGUE, autoDownload, signal } = options;
  const pack = catalogue.get(name);
  try {
    return await resolvePack(options);
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof PackMissingError)) throw error;
    if (pack === undefined || !autoDownload) throw unavailable(error.message, pack, options);
  }
  try {
    await download(pack, options);
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof PackDownloadError || error instanceof PackStorageError)) throw error;
    throw unavailable(error.message, pack, options);
  }
  return resolvePack(options);
}

/**
 * Downloads a pack of the catalogue unless it is installed and right; a wrong file is replaced.
 *
 * @throws like `downloadPack`.
 */
export async function download(
  pack: CataloguePack,
  options: Omit<ObtainOptions, 'autoDownload' | 'name'>,
): Promise<void> {
  const { modelsDir, baseUrl, log, signal, tuning } = options;
  const resolving = { ...options, name: pack.name };
  // Read only now: an HTTP client is a good part of the time to start, and most starts find their weights in place.
  const { downloadPack } = await import('./download/download-pack.ts');
  const { reportDownload } = await import('./download/report-download.ts');
  const report = reportDownload(pack.name, log);
  try {
    await downloadPack({
      pack,
      modelsDir,
      baseUrl,
      signal,
      events: report.events,
      ...(tuning && { tuning }),
      isInstalled: () => resolvePack(resolving).then(() => true, isPackError),
    });
  } finally {
    report.end();
  }
}

/** For a promise's rejection: false for a pack that is missing or wrong, any other failure goes on. */
function isPackError(error: unknown): false {
  if (error instanceof PackError) return false;
  throw error;
}

function unavailable(
  reason: string,
  pack: CataloguePack | undefined,
  { name, modelsDir, autoDownload }: ObtainOptions,
): PackUnavailableError {
  const folder = packFolder({ name, modelsDir });
  const ways = [
    `Ways to get the weights of ${name}:`,
    ...(pack && !autoDownload ? ['- let the service download them: MODEL_AUTO_DOWNLOAD=true'] : []),
    ...(pack && autoDownload
      ? [
          '- let the service download them: it needs the internet, or a proxy (HTTPS_PROXY), or a mirror (MODEL_BASE_URL)',
        ]
      : []),
    `- from another machine: npm run models -- install ${name} --from <zip or folder>`,
    pack
      ? `- put ${pack.detector.name} and ${pack.recogniser.name} into ${folder}`
      : `- put a detector and a recogniser (.onnx) into ${folder}`,
    `To try the API without weights: MODEL_NAME=${SYNTHETIC_PACK} (it recognises nobody).`,
  ];
  return new PackUnavailableError(reason, ways.join('\n'));
}
