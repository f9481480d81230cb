import { open } from 'node:fs/promises';

/** Where a title may stand, and how much of it is repeated. */
const LOOKED_AT_BYTES = 2_048;
const MOST_LETTERS = 120;

/**
 * The first line of a licence that says anything, which is its title.
 *
 * @returns undefined when there is none, or when the file cannot be read.
 */
export async function readLicenceTitle(path: string): Promise<string | undefined> {
  const text = await readStart(path).catch(() => '');
  return text
    .split(/\r?\n/)
    .map((line) => printable(line).slice(0, MOST_LETTERS).trim())
    .find((line) => /\p{L}/u.test(line));
}

async function readStart(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LOOKED_AT_BYTES), 0, LOOKED_AT_BYTES, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Without heading marks, a byte order mark, and what a terminal would obey. */
function printable(line: string): string {
  return line.replace(/[\p{C}\uFFFD]/gu, '').replace(/^[#=*\s]+/, '');
}
