import { createReadStream } from 'node:fs';
import { copyFile, mkdir, open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { filesOf } from '../catalogue/published-pack.ts';
import { CATALOGUE, type Catalogue, type CataloguePack } from '../catalogue.ts';
import { MANIFEST_FILE } from '../manifest.ts';
import { type ModelPack, networksOf } from '../pack.ts';
import { PackInvalidError, PackMissingError, PackStorageError } from '../pack-errors.ts';
import { exists, packFolder } from '../pack-folders.ts';
import { resolveFolder, resolvePack } from '../resolve.ts';
import { THRESHOLDS_FILE } from '../thresholds.ts';
import { installFromArchive, withArchive } from './archive.ts';
import { LOCK_TIMING, withInstallLock } from './install-lock.ts';
import { removeLeftovers, removePartials, temporaryName } from './leftovers.ts';
import { placeVerifiedFiles } from './place-files.ts';
import { discard, renameDurably, writing } from './storage.ts';

/** Maximum size of an unpublished pack when unpacked: several times the largest published pack. */
const MAX_UNPACKED_BYTES = 4 * 1024 ** 3;

/** Files that are installed with the networks, in addition to licences. */
const DESCRIPTIONS: readonly string[] = [MANIFEST_FILE, THRESHOLDS_FILE];

const LICENCE_FILE = /^(model\.)?licen[cs]e(\.\w+)?$/i;

export interface InstallOptions {
  name: string;
  /** A zip archive or a folder. For a single network see `installFile`. */
  from: string;
  modelsDir: string;
  catalogue?: Catalogue;
  signal?: AbortSignal | undefined;
}

/**
 * Installs a pack from a local zip archive or folder. The files of a pack of the catalogue are verified and replace
 * existing ones. Any other pack must have a new name, and is installed only if it can be resolved.
 *
 * @returns the installed pack, verified in its folder.
 * @throws {PackMissingError} when `from` does not exist.
 * @throws {PackInvalidError} when a needed file is missing, is not the published one, or cannot be understood.
 * @throws {PackStorageError} when the folder cannot be written, or a pack with this name exists.
 */
export async function installPack(options: InstallOptions): Promise<ModelPack> {
  const { name, from, modelsDir, catalogue = CATALOGUE, signal } = options;
  const kind = await kindOf(from);
  const parent = resolve(modelsDir);
  await writing(parent, () => mkdir(parent, { recursive: true }));
  const published = catalogue.get(name);
  await withInstallLock(join(parent, `.${name}.lock`), { ...LOCK_TIMING, signal }, async (held) => {
    const locked = { ...options, signal: held };
    await removeLeftovers(options);
    if (published === undefined) await installUnpublished(locked, kind);
    else await installPublished(published, locked, kind);
    // An interrupted download that nobody needs to continue.
    await removePartials(options);
  });
  return resolvePack(options);
}

async function kindOf(from: string): Promise<'folder' | 'archive'> {
  const stats = await stat(from).catch((error) => {
    throw new PackMissingError(`${from} cannot be read (${error.code}).`);
  });
  return stats.isDirectory() ? 'folder' : 'archive';
}

async function installPublished(
  pack: CataloguePack,
  { name, from, modelsDir, signal }: InstallOptions,
  kind: 'folder' | 'archive',
): Promise<void> {
  const folder = packFolder({ name, modelsDir });
  if (kind === 'archive') return installFromArchive(pack, from, folder, signal);
  const sources = filesOf(pack).map((file) => {
    const path = join(from, file.name);
    return { file, origin: path, open: async () => createReadStream(path) };
  });
  await placeVerifiedFiles(folder, sources, signal);
}

async function installUnpublished(options: InstallOptions, kind: 'folder' | 'archive'): Promise<void> {
  const { name, from, modelsDir, signal } = options;
  const folder = packFolder(options);
  if (await exists(folder))
    throw new PackStorageError(`${folder} exists. Remove it first, or choose another name.`);
  const unpacked = resolve(modelsDir, temporaryName('unpacked', name));
  const staged = resolve(modelsDir, temporaryName('staged', name));
  try {
    if (kind === 'archive') await unpack(from, unpacked, signal);
    await copyNeeded({ name, folder: kind === 'archive' ? unpacked : resolve(from), signal }, staged);
    await resolveFolder({ name, folder: staged, signal });
    signal?.throwIfAborted();
    await renameDurably(staged, folder, resolve(modelsDir));
  } finally {
    await discard(unpacked, staged);
  }
}

/** Copies the files of a pack: its networks, manifest, thresholds and licences. */
async function copyNeeded(
  source: { name: string; folder: string; signal?: AbortSignal | undefined },
  target: string,
): Promise<void> {
  const pack = await resolveFolder(source);
  const names = await readdir(source.folder, { recursive: true });
  const files = [
    ...networksOf(pack).map(({ path }) => relative(source.folder, path)),
    ...names.filter((name) => DESCRIPTIONS.includes(name) || LICENCE_FILE.test(basename(name))),
  ];
  for (const file of files) {
    source.signal?.throwIfAborted();
    const path = join(target, file);
    await writing(path, async () => {
      await mkdir(dirname(path), { recursive: true });
      await copyFile(join(source.folder, file), path);
    });
  }
}

/** Unpacks the files that a pack can have. If all are in one folder, its content is unpacked. */
async function unpack(archivePath: string, target: string, signal?: AbortSignal): Promise<void> {
  await withArchive(
    archivePath,
    async (archive) => {
      const files = [...(await archive.files())].filter(([path]) => isPackFile(path));
      const unpackedBytes = files.reduce((sum, [, entry]) => sum + entry.uncompressedSize, 0);
      if (unpackedBytes > MAX_UNPACKED_BYTES) {
        throw new PackInvalidError(
          `${archive.name} has ${unpackedBytes} bytes unpacked; the maximum is ${MAX_UNPACKED_BYTES}.`,
        );
      }
      const top = commonFolder(files.map(([path]) => path));
      for (const [path, entry] of files) {
        signal?.throwIfAborted();
        const content = await archive.read(entry);
        await writeAll(join(target, path.slice(top.length)), content);
      }
      if (files.length === 0) throw new PackInvalidError(`${archive.name} has no .onnx file.`);
    },
    signal,
  );
}

function isPackFile(path: string): boolean {
  const name = basename(path);
  if (path.startsWith('__MACOSX/')) return false;
  return name.toLowerCase().endsWith('.onnx') || DESCRIPTIONS.includes(name) || LICENCE_FILE.test(name);
}

/** "pack/" for pack/a.onnx and pack/b.onnx. Empty if the paths do not share their first folder. */
function commonFolder(paths: string[]): string {
  const [first = ''] = paths;
  const top = first.slice(0, first.indexOf('/') + 1);
  return paths.every((path) => path.startsWith(top)) ? top : '';
}

async function writeAll(path: string, content: AsyncIterable<Uint8Array>): Promise<void> {
  await writing(path, () => mkdir(dirname(path), { recursive: true }));
  const file = await writing(path, () => open(path, 'wx'));
  try {
    for await (const chunk of content) await writing(path, () => file.appendFile(chunk));
  } finally {
    await file.close();
  }
}
