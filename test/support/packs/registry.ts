import { createHash } from 'node:crypto';
import type { NpmSource } from '../../../src/packs/catalogue/published-pack.ts';
import type { Answer, ReceivedRequest } from './file-server.ts';
import { packageOf, tarballOf } from './tar.ts';
import { bytesOf, type TinyPack } from './tiny-packs.ts';

export const PACKAGE = 'tiny-faces';
export const TARBALL = `/${PACKAGE}/-/${PACKAGE}-1.2.3.tgz`;

/** The tarball of a package that has the networks of a pack, and more. */
export function packageWith({ files }: TinyPack): Buffer {
  const networks = Object.entries(files).map(([name, content]) => [`model/${name}`, content] as const);
  return tarballOf(
    packageOf({
      'package.json': Buffer.from('{}'),
      'index.js': bytesOf('code', 3_000),
      ...Object.fromEntries(networks),
      'model/more.onnx': bytesOf('not needed', 9_000),
    }),
  );
}

export function integrityOf(tarball: Uint8Array): string {
  return `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
}

/** The package as a source of the pack. */
export function sourceOf({ files }: TinyPack, tarball: Uint8Array): NpmSource {
  return {
    kind: 'npm',
    package: PACKAGE,
    version: '1.2.3',
    integrity: integrityOf(tarball),
    bytes: tarball.length,
    paths: Object.fromEntries(Object.keys(files).map((name) => [name, `model/${name}`])),
  };
}

export interface RegistryOptions {
  /** The token that every request must have. */
  token?: string;
  /** What the package's document says about its tarball. */
  dist?: { tarball?: string; integrity?: string };
  /** What is sent in the place of the tarball. */
  tarball?: Answer;
  /** The package; by default that of {@link sourceOf}. */
  package?: { package: string; version: string };
}

/** The answers of a registry with one package. */
export function registryAnswer(
  { path, headers }: ReceivedRequest,
  tarball: Uint8Array,
  {
    token,
    dist,
    tarball: other,
    package: named = { package: PACKAGE, version: '1.2.3' },
  }: RegistryOptions = {},
): Answer {
  const address = `/${named.package}/-/${named.package}-${named.version}.tgz`;
  if (token !== undefined && headers.authorization !== `Bearer ${token}`) return { status: 401 };
  if (path === `/${named.package}`) {
    const version = {
      dist: { tarball: `http://${headers.host}${address}`, integrity: integrityOf(tarball), ...dist },
    };
    return {
      content: Buffer.from(JSON.stringify({ name: named.package, versions: { [named.version]: version } })),
    };
  }
  return path === address ? (other ?? { content: tarball }) : { status: 404 };
}
