import { ascii, startsWith } from '../format.ts';
import { ByteReader } from './byte-reader.ts';
import { refuse } from './limits.ts';

/** Before the TIFF file that an EXIF block is. */
export const EXIF_PREFIX = [...ascii('Exif'), 0, 0];
/** libexif reads as much as a JPEG can hold. */
const MAX_BYTES = 0xfffe;
/** Entries that point to another directory: Exif, GPS, interoperability. */
const POINTERS = [0x8769, 0x8825, 0xa005];

/** Real files have one pointer of each kind. libexif follows directories that point at each other: 64 kB took 8 s. */
const MAX_POINTERS = 6;

/** Refuses metadata of an EXIF block that libexif would follow in circles. It ignores a damaged block. */
export function inspectExif(block: Uint8Array): void {
  const bytes = (startsWith(block, EXIF_PREFIX) ? block.subarray(EXIF_PREFIX.length) : block).subarray(
    0,
    MAX_BYTES,
  );
  const littleEndian = startsWith(bytes, ascii('II'));
  const file = new ByteReader(bytes, littleEndian);
  const first = file.u32(4);
  const after = first + 2 + 12 * file.u16(first);
  const directories = new Set([first, file.u32(after)]);
  let pointers = 0;
  // A set also visits what is added while it is read.
  for (const directory of directories) {
    // 0 is no directory.
    if (directory === 0 || !file.has(directory, 2)) continue;
    const count = Math.min(file.u16(directory), Math.floor((file.length - directory - 2) / 12));
    for (let entry = directory + 2; entry < directory + 2 + 12 * count; entry += 12) {
      if (!POINTERS.includes(file.u16(entry))) continue;
      pointers++;
      if (pointers > MAX_POINTERS) refuse(`More than ${MAX_POINTERS} directories of EXIF.`);
      directories.add(file.u32(entry + 8));
    }
  }
}
