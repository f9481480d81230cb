import { readOrientation } from './exif-orientation.ts';
import { ascii, startsWith } from './format.ts';

/** The second byte of a marker (ITU-T T.81, table B.1). */
const MARKER = {
  baseline: 0xc0,
  extended: 0xc1,
  progressive: 0xc2,
  huffmanTables: 0xc4,
  scan: 0xda,
  quantisation: 0xdb,
  restart: 0xdd,
  firstApplication: 0xe0,
  exif: 0xe1,
  profile: 0xe2,
  lastApplication: 0xef,
  comment: 0xfe,
};
const FRAMES = [MARKER.baseline, MARKER.extended, MARKER.progressive];
const TABLES = [MARKER.huffmanTables, MARKER.quantisation, MARKER.restart, MARKER.comment];
const EXIF = ascii('Exif');
const PROFILE = ascii('ICC_PROFILE\0');

export interface PlainHeader {
  width: number;
  height: number;
  /** 1 to 8 as in EXIF; 1 is upright. */
  orientation: number;
  /** Whether rows can be decoded without the whole file: every other encoding that is plain is progressive. */
  sequential: boolean;
  /** Where the first scan's data begin. */
  scanAt: number;
}

/**
 * Reads a JPEG's segments up to its first scan. Decoders agree on what those of a plain one mean.
 *
 * @returns undefined for a picture that is not plain: another encoding, four channels, a colour profile that is not
 *   ignored, an unclear orientation, or damage.
 */
export function readPlainHeader(bytes: Uint8Array, ignoreProfile: boolean): PlainHeader | undefined {
  const { byteOffset, byteLength } = bytes;
  const view = new DataView(bytes.buffer, byteOffset, byteLength);
  let size: Pick<PlainHeader, 'width' | 'height' | 'sequential'> | undefined;
  let orientation: number | undefined;
  for (let at = 2; at + 4 <= byteLength; ) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1] as number;
    const segment = bytes.subarray(at + 4, at + 2 + view.getUint16(at + 2));
    at += 4 + segment.length;
    if (marker === MARKER.scan) return size && { ...size, orientation: orientation ?? 1, scanAt: at };
    if (FRAMES.includes(marker)) {
      if (size) return undefined;
      const frame = readFrame(segment);
      if (frame === undefined) return undefined;
      size = { ...frame, sequential: marker !== MARKER.progressive };
    } else if (marker === MARKER.exif && startsWith(segment, EXIF)) {
      // Readers differ on which of two blocks they take.
      if (orientation !== undefined) return undefined;
      orientation = readOrientation(segment);
      if (orientation === undefined) return undefined;
    } else if (!ignoreProfile && marker === MARKER.profile && startsWith(segment, PROFILE)) {
      return undefined;
    } else if (marker < MARKER.firstApplication || marker > MARKER.lastApplication) {
      if (!TABLES.includes(marker)) return undefined;
    }
  }
  return undefined;
}

/** ITU-T T.81, B.2.2: bits, height, width, and the number of channels. */
function readFrame(segment: Uint8Array): { width: number; height: number } | undefined {
  const channels = segment[5];
  if (segment[0] !== 8 || (channels !== 1 && channels !== 3)) return undefined;
  const sideAt = (offset: number) => (segment[offset] as number) * 256 + (segment[offset + 1] as number);
  const size = { height: sideAt(1), width: sideAt(3) };
  // A height of 0 comes after the first scan.
  return size.width > 0 && size.height > 0 ? size : undefined;
}
