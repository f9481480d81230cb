import { z } from 'zod';
import type { NpmSource } from '../../catalogue/published-pack.ts';
import { PackInvalidError } from '../../pack-errors.ts';
import { requestSource, type SourceRequestOptions } from '../http-source.ts';
import { readBody } from '../read-body.ts';
import { displayUrl, SourceError } from '../source-error.ts';
import type { DownloadTuning } from '../tuning.ts';
import type { NpmConfig } from './npm-config.ts';

/** The document of a package with hundreds of versions has a few megabytes. */
const MAX_DOCUMENT_BYTES = 32 * 1024 * 1024;

/** What npm asks for: the short form of a package's document where the registry has it. */
const ACCEPT = 'application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*';

/** npm's own registry, whose name registries that copy it leave in the addresses of tarballs. */
const PUBLIC_HOST = 'registry.npmjs.org';

const documentSchema = z.object({
  versions: z.record(
    z.string(),
    z
      .object({
        dist: z.object({ tarball: z.url({ protocol: /^https?$/ }), integrity: z.string().optional() }),
      })
      .optional()
      .catch(undefined),
  ),
});

export interface RegistryOptions extends Omit<SourceRequestOptions, 'tuning' | 'authorization'> {
  tuning: DownloadTuning;
}

/**
 * Asks the registry where the tarball of a package is.
 *
 * @throws {SourceError} when the registry does not answer, or has no such version.
 * @throws {PackInvalidError} when the registry has another tarball than the catalogue names.
 */
export async function findTarball(
  source: NpmSource,
  config: NpmConfig,
  options: RegistryOptions,
): Promise<URL> {
  const registry = config.registryOf(source.package);
  const url = new URL(source.package.replace('/', '%2f'), registry);
  const document = await readDocument(url, config, options);
  const dist = document.versions[source.version]?.dist;
  if (dist === undefined) {
    throw new SourceError(`${displayUrl(url)} has no version ${source.version}.`, { retryable: false });
  }
  const other = dist.integrity?.split(/\s+/).filter((hash) => hash.startsWith('sha512-')) ?? [];
  if (other.length > 0 && !other.includes(source.integrity)) {
    throw new PackInvalidError(
      `The registry has a tarball with the integrity ${other[0]}, expected is ${source.integrity}. It is not downloaded.`,
    );
  }
  return tarballAt(new URL(dist.tarball), registry);
}

/** As npm does (replace-registry-host): the tarball comes from the configured registry, also if its document names the public one. */
function tarballAt(tarball: URL, registry: URL): URL {
  if (tarball.hostname !== PUBLIC_HOST || registry.hostname === PUBLIC_HOST) return tarball;
  return new URL(`${registry.pathname}${tarball.pathname.slice(1)}${tarball.search}`, registry);
}

async function readDocument(
  url: URL,
  config: NpmConfig,
  options: RegistryOptions,
): Promise<z.infer<typeof documentSchema>> {
  const authorization = config.authorizationFor(url);
  const response = await requestSource(url, { accept: ACCEPT }, { ...options, authorization });
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of readBody(response, options.tuning.idleTimeoutMs)) {
      bytes += chunk.length;
      if (bytes > MAX_DOCUMENT_BYTES) {
        throw new SourceError(
          `${displayUrl(url)} is larger than the maximum of ${MAX_DOCUMENT_BYTES} bytes.`,
          {
            retryable: false,
          },
        );
      }
      chunks.push(chunk);
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof SourceError) throw error;
    throw new SourceError(`The connection to ${displayUrl(url)} was lost after ${bytes} bytes.`, {
      retryable: true,
    });
  } finally {
    response.destroy();
  }
  try {
    return documentSchema.parse(JSON.parse(Buffer.concat(chunks).toString('utf8')));
  } catch {
    throw new SourceError(`${displayUrl(url)} is not the document of a package.`, { retryable: false });
  }
}
