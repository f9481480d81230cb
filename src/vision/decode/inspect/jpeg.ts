import { ascii, startsWith } from '../format.ts';
import { ByteReader } from './byte-reader.ts';
import { inspectExif } from './exif.ts';
import { inspectProfile } from './icc.ts';
import { PieceCounter, refuse, type Size } from './limits.ts';

/**
 * Scans of a picture. Progressive encoders write about ten. Each takes 12 µs, and 7 ns for each of its blocks of 64 pixels,
 * with hardly any data: 93 bytes of an empty scan of 50 megapixels took 5 ms.
 */
export const MAX_SCANS = 100;
/** The same in blocks: how often the whole picture may be passed over. Encoders need fewer than eight passes. */
const MAX_PASSES = 25;

/** The second byte of a marker (ITU-T T.81, table B.1). */
const MARKER = {
  firstFrame: 0xc0,
  progressive: 0xc2,
  huffmanTables: 0xc4,
  firstArithmetic: 0xc9,
  lastFrame: 0xcb,
  firstRestart: 0xd0,
  lastRestart: 0xd7,
  start: 0xd8,
  end: 0xd9,
  scan: 0xda,
  exif: 0xe1,
  profile: 0xe2,
};
const EXIF = ascii('Exif');
const PROFILE = ascii('ICC_PROFILE');
/** Name, number of the part, number of parts. */
const PROFILE_HEADER_BYTES = 14;

interface Frame extends Size {
  progressive: boolean;
  channels: number;
  /** Blocks for each channel, in relation to the others. */
  blocks: Map<number, number>;
}

/** Reads the segments of a JPEG as libjpeg does: to the first scan if it is the only one, else to the end. */
export function inspectJpeg(bytes: Uint8Array, scanLimit = MAX_SCANS): Size | undefined {
  const file = new ByteReader(bytes);
  const pieces = new PieceCounter();
  const profile: Uint8Array[] = [];
  let frame: Frame | undefined;
  let scans = 0;
  let passes = 0;
  let at = 2;
  for (;;) {
    // Anything up to a marker is skipped: the data of a scan, where FF 00 stands for FF, fill bytes, garbage.
    at = bytes.indexOf(0xff, at);
    if (at < 0) return frame;
    while (bytes[at] === 0xff) at++;
    const marker = file.u8(at++);
    // Without a length; what is below the frames is unknown to libjpeg.
    if (marker < MARKER.firstFrame) continue;
    if (marker >= MARKER.firstRestart && marker <= MARKER.lastRestart) continue;
    if (marker === MARKER.end || marker === MARKER.start) return frame;
    const length = file.u16(at);
    if (length < 2 || !file.has(at, length)) return frame;
    const segment = bytes.subarray(at + 2, at + length);
    at += length;
    pieces.add(length);
    if (marker === MARKER.scan) {
      if (frame === undefined) return undefined;
      if (scans === 0) inspectProfile(joined(profile));
      if (!frame.progressive && segment[0] === frame.channels) return frame;
      scans++;
      passes += share(segment, frame);
      if (scans > scanLimit) refuse(`More than ${scanLimit} scans.`);
      if (passes > MAX_PASSES) refuse(`Scans that pass over the picture more than ${MAX_PASSES} times.`);
    } else if (marker === MARKER.exif && startsWith(segment, EXIF)) {
      inspectExif(segment);
    } else if (marker === MARKER.profile && startsWith(segment, PROFILE)) {
      profile[segment[PROFILE.length + 1] ?? 0] = segment.subarray(PROFILE_HEADER_BYTES);
    } else if (marker <= MARKER.lastFrame && marker !== MARKER.huffmanTables) {
      if (marker >= MARKER.firstArithmetic) {
        // Twenty times as slow as Huffman coding for the same pixels; browsers cannot show it either.
        refuse('Arithmetic coding is not supported.');
      }
      frame ??= readFrame(segment, marker === MARKER.progressive);
    }
  }
}

/** ITU-T T.81, B.2.2: bits, height, width and channels; name, sampling factors and table for each channel. */
function readFrame(segment: Uint8Array, progressive: boolean): Frame {
  const header = new ByteReader(segment);
  const blocks = new Map<number, number>();
  const channels = header.u8(5);
  for (let channel = 0; channel < channels; channel++) {
    const factors = header.u8(7 + 3 * channel);
    blocks.set(header.u8(6 + 3 * channel), (factors >> 4) * (factors & 15));
  }
  return { height: header.u16(1), width: header.u16(3), progressive, channels, blocks };
}

/** Share of the picture's blocks that a scan has. */
function share(segment: Uint8Array, { blocks }: Frame): number {
  let scanned = 0;
  for (let channel = 0; channel < (segment[0] ?? 0); channel++) {
    scanned += blocks.get(segment[1 + 2 * channel] ?? -1) ?? 0;
  }
  const all = [...blocks.values()].reduce((sum, count) => sum + count, 0);
  return all === 0 ? 0 : scanned / all;
}

/** The parts of a profile are numbered from 1; libvips reads up to the first that is missing. */
function joined(parts: (Uint8Array | undefined)[]): Uint8Array {
  const end = parts.findIndex((part, index) => index > 0 && part === undefined);
  return Buffer.concat(parts.slice(1, end < 0 ? undefined : end) as Uint8Array[]);
}
