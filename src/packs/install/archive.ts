import { basename } from 'node:path';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { errorMessage } from '../../errors.ts';
import type { CataloguePack } from '../catalogue.ts';
import { PackError, PackInvalidError } from '../pack-errors.ts';
import { type FileSource, placeVerifiedFiles } from './place-files.ts';

/** A pack has a handful of files. An archive with very many is something else, and slow to list. */
const MOST_ENTRIES = 1_000;

/** How much larger than the published file a member may claim to be and still be hashed for the error. */
const MEMBER_SLACK = 2;

/**
 * Opens a zip archive for the time of `action`.
 *
 * @throws {PackInvalidError} when the file is no zip archive, or one that cannot be read to its end.
 */
export async function withArchive<T>(
  path: string,
  action: (archive: Archive) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  let zip: ZipFile | undefined;
  try {
    zip = await openPromise(path, { autoClose: false });
    return await action(new Archive(basename(path), zip));
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof PackError) throw error;
    throw new PackInvalidError(`${basename(path)} is not a readable zip archive (${errorMessage(error)}).`);
  } finally {
    zip?.close();
  }
}

/** The files of an open archive. yauzl refuses member names that are absolute or have `..`. */
export class Archive {
  readonly name: string;
  readonly #zip: ZipFile;

  constructor(name: string, zip: ZipFile) {
    this.name = name;
    this.#zip = zip;
  }

  /** Every file (no folders) by its path in the archive. */
  async files(): Promise<Map<string, Entry>> {
    if (this.#zip.entryCount > MOST_ENTRIES) {
      throw new PackInvalidError(`${this.name} has ${this.#zip.entryCount} members; a pack has a handful.`);
    }
    const files = new Map<string, Entry>();
    for await (const entry of this.#zip.eachEntry()) {
      if (!entry.fileName.endsWith('/')) files.set(entry.fileName, entry);
    }
    return files;
  }

  /** The content of a file; it fails where the content differs from the size or the checksum in the archive. */
  read(entry: Entry): Promise<AsyncIterable<Uint8Array>> {
    return this.#zip.openReadStreamPromise(entry);
  }
}

/**
 * Takes the two needed files of a published pack out of its archive and puts them, verified, into its folder. They
 * lie at the archive's top, or in one folder named like the pack.
 *
 * @throws {PackInvalidError} when the archive has not the published files.
 * @throws {PackStorageError} when the folder cannot be written.
 */
export async function installFromArchive(
  pack: CataloguePack,
  archivePath: string,
  folder: string,
  signal?: AbortSignal,
): Promise<void> {
  const install = async (archive: Archive) => {
    const files = await archive.files();
    const sources = [pack.detector, pack.recogniser].map((file): FileSource => {
      const entry = files.get(file.name) ?? files.get(`${pack.name}/${file.name}`);
      if (entry === undefined) throw new PackInvalidError(`${archive.name} holds no ${file.name}.`);
      if (entry.uncompressedSize > file.bytes * MEMBER_SLACK) {
        throw new PackInvalidError(
          `${file.name} of ${archive.name} has ${entry.uncompressedSize} bytes, expected are ${file.bytes}.`,
        );
      }
      return { file, origin: `${file.name} of ${archive.name}`, open: () => archive.read(entry) };
    });
    await placeVerifiedFiles(folder, sources, signal);
  };
  await withArchive(archivePath, install, signal);
}
