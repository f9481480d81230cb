import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { errorMessage } from '../../errors.ts';
import { filesOf } from '../catalogue/published-pack.ts';
import type { CataloguePack } from '../catalogue.ts';
import { PackError, PackInvalidError } from '../pack-errors.ts';
import { type FileSource, placeVerifiedFiles } from './place-files.ts';

/** A pack has a few files. An archive with very many is something else, and slow to list. */
const MAX_ENTRIES = 1_000;

/** The record at the end of every zip archive, of this length with the comment that may follow. Source: PKWARE, APPNOTE.TXT, 4.3.16. */
const END_RECORD = { signature: Buffer.from('PK\x05\x06'), bytes: 22, maxCommentBytes: 65_535 };

/** A member that claims to be this much larger than the published file is not read. */
const MAX_SIZE_FACTOR = 2;

/**
 * Opens a zip archive while `action` runs.
 *
 * @throws {PackInvalidError} when the file is not a zip archive or is damaged.
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

/** Whether the file ends as a zip archive does. One that was cut, or cannot be read, does not. */
export async function endsLikeArchive(path: string): Promise<boolean> {
  try {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      const length = Math.min(size, END_RECORD.bytes + END_RECORD.maxCommentBytes);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
      return buffer.subarray(0, bytesRead).includes(END_RECORD.signature);
    } finally {
      await file.close();
    }
  } catch {
    return false;
  }
}

/** An open archive. yauzl rejects member names that are absolute or contain `..`. */
export class Archive {
  readonly name: string;
  readonly #zip: ZipFile;

  constructor(name: string, zip: ZipFile) {
    this.name = name;
    this.#zip = zip;
  }

  /** All files, without folders, by their paths in the archive. */
  async files(): Promise<Map<string, Entry>> {
    if (this.#zip.entryCount > MAX_ENTRIES) {
      throw new PackInvalidError(
        `${this.name} has ${this.#zip.entryCount} members; the maximum is ${MAX_ENTRIES}.`,
      );
    }
    const files = new Map<string, Entry>();
    for await (const entry of this.#zip.eachEntry()) {
      if (!entry.fileName.endsWith('/')) files.set(entry.fileName, entry);
    }
    return files;
  }

  /** The content of a file. Reading fails if it does not match the size or checksum in the archive. */
  read(entry: Entry): Promise<AsyncIterable<Uint8Array>> {
    return this.#zip.openReadStreamPromise(entry);
  }
}

/**
 * Installs the files of a published pack from its archive, after verifying them. In the archive they are at the top
 * or in a folder named like the pack.
 *
 * @throws {PackInvalidError} when the archive does not contain the published files.
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
    const sources = filesOf(pack).map((file): FileSource => {
      const entry = files.get(file.name) ?? files.get(`${pack.name}/${file.name}`);
      if (entry === undefined) throw new PackInvalidError(`${archive.name} has no ${file.name}.`);
      if (entry.uncompressedSize > file.bytes * MAX_SIZE_FACTOR) {
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
