import { open, realpath } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import { MANIFEST_FILE } from './manifest.ts';
import { PackInvalidError } from './pack-errors.ts';
import { exists } from './pack-folders.ts';

/** How much of a licence is read to find its title, and the maximum length of the title. */
const TITLE_SEARCH_BYTES = 2_048;
const MAX_TITLE_LENGTH = 120;

/**
 * The path of a file that a manifest names. A link may lead to another place inside the pack, but not out of it.
 *
 * @param member of the manifest, for the error.
 * @throws {PackInvalidError} if the file cannot be read or is outside of the pack.
 */
export async function pathInside(folder: string, file: string, member: string): Promise<string> {
  const path = join(folder, file);
  const target = await realpath(path).catch((error) => {
    throw new PackInvalidError(
      `${MANIFEST_FILE}: ${member} names ${file}, which cannot be read (${error.code}).`,
    );
  });
  const fromFolder = relative(await realpath(folder), target);
  if (fromFolder.startsWith('..') || isAbsolute(fromFolder)) {
    throw new PackInvalidError(`${MANIFEST_FILE}: ${member} names ${file}, which is a link out of the pack.`);
  }
  return path;
}

/**
 * Describes the licence that a manifest names, as a sentence for operators. A pack whose licence file is missing can
 * still be loaded; the sentence then says that it is missing.
 *
 * @throws {PackInvalidError} if the file is outside of the pack.
 */
export async function describeLicence(folder: string, file: string): Promise<string> {
  if (!(await exists(join(folder, file))))
    return `Unknown: ${MANIFEST_FILE} names ${file}, which is not in the folder of the pack.`;
  const text = await readStart(await pathInside(folder, file, 'license')).catch(() => '');
  const title = text
    .split(/\r?\n/)
    .map((line) => printable(line).slice(0, MAX_TITLE_LENGTH).trim())
    .find((line) => /\p{L}/u.test(line));
  return title === undefined
    ? `See ${file} in the folder of the pack.`
    : `${title} (${file} in the folder of the pack)`;
}

async function readStart(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(TITLE_SEARCH_BYTES), 0, TITLE_SEARCH_BYTES, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Removes control characters, a byte order mark and the marks of headings. */
function printable(line: string): string {
  return line.replace(/[\p{C}\uFFFD]/gu, '').replace(/^[#=*\s]+/, '');
}
