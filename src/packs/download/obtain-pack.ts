import { LITE_PACK_NAME } from '../catalogue/lite.ts';
import { filesOf } from '../catalogue/published-pack.ts';
import { CATALOGUE, type Catalogue, type CataloguePack } from '../catalogue.ts';
import { removeOldLeftovers } from '../install/leftovers.ts';
import type { ColourProfiles, ModelPack } from '../pack.ts';
import {
  PackDownloadError,
  PackError,
  PackMissingError,
  PackStorageError,
  PackUnavailableError,
} from '../pack-errors.ts';
import { packFolder, SYNTHETIC_PACK } from '../pack-folders.ts';
import { type ResolveOptions, resolvePack } from '../resolve.ts';
import { type PackLog, reportDownload } from './report-download.ts';
import type { DownloadTuning } from './tuning.ts';

export interface ObtainOptions {
  /** A pack of the catalogue, `synthetic`, or a folder in `modelsDir`. */
  name: string;
  modelsDir: string;
  /** Whether a missing pack of the catalogue is downloaded. */
  autoDownload: boolean;
  /** The mirror that replaces the public sources; empty for the public sources. */
  baseUrl: string;
  log: PackLog;
  signal?: AbortSignal | undefined;
  catalogue?: Catalogue;
  colourProfiles?: ColourProfiles | undefined;
  tuning?: DownloadTuning;
  /** See `resolvePack`. */
  isPrepared?: ResolveOptions['isPrepared'];
}

/**
 * Resolves and verifies a pack. If it is missing, it is downloaded first, when that is allowed and the pack is in the
 * catalogue. Can be called again after a failure; an interrupted download then continues.
 *
 * @throws {PackUnavailableError} when the weights are missing and cannot be downloaded. The message says how to get them.
 * @throws {PackInvalidError} when both files exist but one is wrong. Only the operator may replace them.
 * @throws the signal's reason when it is aborted.
 */
export async function obtainPack(options: ObtainOptions): Promise<ModelPack> {
  const { name, catalogue = CATALOGUE, autoDownload, signal } = options;
  const pack = catalogue.get(name);
  try {
    const resolved = await resolvePack(options);
    await removeOldLeftovers(options);
    return resolved;
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof PackMissingError)) throw error;
    if (pack === undefined || !autoDownload) throw unavailable(error, pack, options);
  }
  try {
    await download(pack, options);
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof PackDownloadError || error instanceof PackStorageError)) throw error;
    throw unavailable(error, pack, options);
  }
  return resolvePack(options);
}

/**
 * Downloads a pack of the catalogue unless it is installed and valid. Wrong files are replaced.
 *
 * @throws like `downloadPack`.
 */
export async function download(
  pack: CataloguePack,
  options: Omit<ObtainOptions, 'autoDownload' | 'name'>,
): Promise<void> {
  const { modelsDir, baseUrl, log, signal, tuning } = options;
  // Loaded on demand, because most starts need no download.
  const { downloadPack } = await import('./download-pack.ts');
  const report = reportDownload(pack.name, log);
  try {
    await downloadPack({
      pack,
      modelsDir,
      baseUrl,
      signal,
      events: report.events,
      ...(tuning && { tuning }),
      isInstalled: () => isInstalled({ ...options, name: pack.name }),
    });
  } finally {
    report.end();
  }
}

async function isInstalled(options: ResolveOptions): Promise<boolean> {
  try {
    await resolvePack(options);
    return true;
  } catch (error) {
    if (error instanceof PackError) return false;
    throw error;
  }
}

const LITE_PROPOSAL =
  `Where the npm registry answers, MODEL_NAME=${LITE_PACK_NAME} (npm run demo) downloads a small pack from there. ` +
  'Its embeddings cannot be compared with those of another pack.';

function unavailable(
  failure: PackError,
  pack: CataloguePack | undefined,
  { name, modelsDir, autoDownload }: ObtainOptions,
): PackUnavailableError {
  const files = pack
    ? filesOf(pack)
        .map((file) => file.name)
        .join(' and ')
    : 'a detector and a recogniser (.onnx)';
  const download = autoDownload
    ? 'from the internet, through a proxy (HTTPS_PROXY) or from a mirror (MODEL_BASE_URL)'
    : 'with MODEL_AUTO_DOWNLOAD=true';
  const instructions = [
    `To get the weights of ${name}, do one of the following:`,
    ...(pack ? [`- let the service download them ${download}`] : []),
    `- install a copy from another machine: npm run models -- install ${name} --from <zip, folder or file>`,
    `- put ${files} into ${packFolder({ name, modelsDir })}`,
    ...(name === LITE_PACK_NAME ? [] : [LITE_PROPOSAL]),
    `To try the API without weights: MODEL_NAME=${SYNTHETIC_PACK} (it recognises nobody).`,
  ];
  return new PackUnavailableError(failure, instructions.join('\n'));
}
