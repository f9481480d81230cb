import { ascii, startsWith } from './format.ts';
import { ByteReader } from './inspect/byte-reader.ts';
import { EXIF_PREFIX } from './inspect/exif.ts';

const LITTLE_ENDIAN = [...ascii('II'), 42, 0];
const BIG_ENDIAN = [...ascii('MM'), 0, 42];
const ORIENTATION = 0x0112;
const SHORT = 3;

/**
 * Reads the orientation from an EXIF block (Exif 2.32, 4.6.4), as a JPEG has it.
 *
 * @returns 1 to 8, 1 also where the block has none; undefined for a block of which readers may make different things.
 */
export function readOrientation(block: Uint8Array): number | undefined {
  if (!startsWith(block, EXIF_PREFIX)) return undefined;
  const bytes = block.subarray(EXIF_PREFIX.length);
  const littleEndian = startsWith(bytes, LITTLE_ENDIAN);
  if (!littleEndian && !startsWith(bytes, BIG_ENDIAN)) return undefined;
  const file = new ByteReader(bytes, littleEndian);
  const directory = file.u32(4);
  const count = file.u16(directory);
  if (directory < 8 || count === 0 || !file.has(directory, 2 + 12 * count)) return undefined;
  let found: number | undefined;
  for (let entry = directory + 2; entry < directory + 2 + 12 * count; entry += 12) {
    if (file.u16(entry) !== ORIENTATION) continue;
    const orientation = file.u16(entry + 8);
    const isClear = file.u16(entry + 2) === SHORT && file.u32(entry + 4) === 1;
    if (found !== undefined || !isClear || orientation < 1 || orientation > 8) return undefined;
    found = orientation;
  }
  return found ?? 1;
}
