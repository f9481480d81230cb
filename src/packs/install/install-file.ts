import { createReadStream } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { filesOf, type PublishedFile } from '../catalogue/published-pack.ts';
import type { CataloguePack } from '../catalogue.ts';
import { hashFile } from '../file-hash.ts';
import { PackInvalidError, PackMissingError } from '../pack-errors.ts';
import { packFolder } from '../pack-folders.ts';
import { LOCK_TIMING, withInstallLock } from './install-lock.ts';
import { placeVerifiedFiles } from './place-files.ts';
import { writing } from './storage.ts';

export interface InstalledFile {
  file: PublishedFile;
  /** Names of the other files that the pack needs and does not have. */
  missing: string[];
}

/**
 * Installs one file of a published pack, whatever it is called: its hash says which one it is.
 *
 * @throws {PackMissingError} when there is no such file.
 * @throws {PackInvalidError} when it is not a file of the pack.
 * @throws {PackStorageError} when the folder cannot be written.
 */
export async function installFile(
  pack: CataloguePack,
  { from, modelsDir, signal }: { from: string; modelsDir: string; signal?: AbortSignal | undefined },
): Promise<InstalledFile> {
  const { bytes, sha256 } = await hashOf(from, signal);
  const file = filesOf(pack).find((published) => published.sha256 === sha256);
  if (file === undefined) {
    const expected = filesOf(pack).map((published) => `${published.name} (${published.sha256})`);
    throw new PackInvalidError(
      `${from} (${bytes} bytes) has the SHA-256 ${sha256}, expected is one of ${pack.name}: ${expected.join(', ')}. ` +
        'It is not installed.',
    );
  }
  const parent = resolve(modelsDir);
  await writing(parent, () => mkdir(parent, { recursive: true }));
  const folder = packFolder({ name: pack.name, modelsDir });
  await withInstallLock(join(parent, `.${pack.name}.lock`), { ...LOCK_TIMING, signal }, (held) =>
    placeVerifiedFiles(folder, [{ file, origin: from, open: async () => createReadStream(from) }], held),
  );
  const present = await readdir(folder);
  const missing = filesOf(pack)
    .map(({ name }) => name)
    .filter((name) => !present.includes(name));
  return { file, missing };
}

/**
 * Names of the packs of which a file is a part.
 *
 * @throws {PackMissingError} when it cannot be read.
 */
export async function packsWith(from: string, packs: Iterable<CataloguePack>): Promise<string[]> {
  const { sha256 } = await hashOf(from);
  return [...packs]
    .filter((pack) => filesOf(pack).some((file) => file.sha256 === sha256))
    .map(({ name }) => name);
}

/** Whether a path is that of one network, and not of an archive. */
export function isNetwork(path: string): boolean {
  return basename(path).toLowerCase().endsWith('.onnx');
}

async function hashOf(path: string, signal?: AbortSignal): Promise<{ bytes: number; sha256: string }> {
  return hashFile(path, signal).catch((error) => {
    signal?.throwIfAborted();
    throw new PackMissingError(`${path} cannot be read (${error.code ?? error.message}).`);
  });
}
