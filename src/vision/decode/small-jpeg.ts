import createModule from '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs';
import type { Pixels } from './decode.ts';
import { ascii, startsWith } from './format.ts';

/**
 * A camera's 640×480, at which a busy service gains 1.5 %; at 250×250 it gains 4 to 5 %. At 800×600 it loses as much, as sharp
 * has libjpeg's vector code, which outweighs what it takes to set up.
 */
const MOST_PIXELS = 640 * 480;
/** A picture's file is smaller than its pixels. What is larger is not worth the memory, which WebAssembly never gives back. */
const MOST_BYTES = 3 * MOST_PIXELS;
/** Whoever sends broken pictures has them decoded twice at most so often; in between, all go to sharp. */
const REOPENING_DELAY_MS = 1000;

type JpegDecoder = InstanceType<Awaited<ReturnType<typeof createModule>>['JPEGDecoder']>;

let decoder: JpegDecoder | undefined;
/** When it may be opened, on performance.now()'s clock. */
let opensAt = 0;

/** Takes 15 ms, which no start has to wait for: until it is there, pictures go to sharp. */
async function openDecoder(): Promise<void> {
  opensAt = Number.POSITIVE_INFINITY;
  try {
    // What libjpeg says may quote the image, so it goes to nobody.
    const { JPEGDecoder } = await createModule({ print: () => {}, printErr: () => {} });
    decoder = new JPEGDecoder();
  } catch {
    // No memory for it, say. It is faster, but nobody needs it.
    opensAt = performance.now() + REOPENING_DELAY_MS;
  }
}

/**
 * Decodes small pictures of the kind that cameras' and backends' software writes most: baseline JPEGs in colour or grey,
 * and nothing that says how to turn them or what their colours are. sharp takes longer to set up its pipeline than
 * libjpeg-turbo to decode one of these. Pixels are sharp's bit for bit, as both are libjpeg's integer arithmetic; where a
 * file is damaged in a way that neither notices, what they make of the damage may differ.
 *
 * @returns undefined for any other picture, and for any that libjpeg has something to remark on: sharp is the judge.
 */
export function decodeSmallJpeg(bytes: Uint8Array, maxPixels: number): Pixels | undefined {
  if (bytes.length > MOST_BYTES) return undefined;
  const header = readPlainHeader(bytes);
  if (header === undefined) return undefined;
  const { width, height, channels } = header;
  if (width * height > Math.min(maxPixels, MOST_PIXELS)) return undefined;
  if (decoder === undefined) {
    if (performance.now() >= opensAt) void openDecoder();
    return undefined;
  }
  try {
    decoder.getEncodedBuffer(bytes.length).set(bytes);
    decoder.decode();
    const decoded = decoder.getDecodedBuffer();
    if (decoded.length !== width * height * channels) return undefined;
    const data = channels === 3 ? new Uint8Array(decoded.slice().buffer) : repeatThrice(decoded);
    return { data, width, height };
  } catch {
    // An exception leaves WebAssembly's stack where it was thrown; after a dozen there would be none left.
    decoder = undefined;
    opensAt = performance.now() + REOPENING_DELAY_MS;
    return undefined;
  }
}

/** From grey to red, green and blue. Four pixels make three words, which takes half as long as byte by byte. */
function repeatThrice(grey: Uint8ClampedArray): Uint8Array {
  const { length } = grey;
  const data = new Uint8Array(3 * length);
  const words = new Uint32Array(data.buffer, 0, 3 * Math.floor(length / 4));
  let pixel = 0;
  for (let word = 0; word < words.length; word += 3, pixel += 4) {
    const first = grey[pixel] as number;
    const second = grey[pixel + 1] as number;
    const third = grey[pixel + 2] as number;
    const fourth = grey[pixel + 3] as number;
    words[word] = (first * 0x010101) | (second << 24);
    words[word + 1] = (second * 0x0101) | (third * 0x01010000);
    words[word + 2] = third | (fourth * 0x01010100);
  }
  for (; pixel < length; pixel++) data.fill(grey[pixel] as number, 3 * pixel, 3 * pixel + 3);
  return data;
}

/** The second byte of a marker (ITU-T T.81, table B.1). */
const MARKER = {
  baseline: 0xc0,
  huffmanTables: 0xc4,
  scan: 0xda,
  quantisation: 0xdb,
  restart: 0xdd,
  jfif: 0xe0,
  comment: 0xfe,
};
const SKIPPED = [MARKER.huffmanTables, MARKER.quantisation, MARKER.restart, MARKER.comment];
const JFIF = ascii('JFIF\0');
/** Horizontal and vertical sampling factors of luminance beside a chrominance of 1×1: 4:4:4, 4:2:2 and 4:2:0. */
const LUMINANCE_SAMPLINGS = [0x11, 0x21, 0x22];

interface PlainHeader {
  width: number;
  height: number;
  channels: 1 | 3;
}

/**
 * Reads a JPEG's segments up to its first scan, which must have all channels, so that it is the only one.
 *
 * @returns undefined unless each segment is one that says nothing of orientation, colour profile or another encoding.
 */
function readPlainHeader(bytes: Uint8Array): PlainHeader | undefined {
  const { byteOffset, byteLength } = bytes;
  const view = new DataView(bytes.buffer, byteOffset, byteLength);
  let frame: PlainHeader | undefined;
  for (let at = 2; at + 4 <= byteLength; ) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1] as number;
    const segment = bytes.subarray(at + 4, at + 2 + view.getUint16(at + 2));
    at += 4 + segment.length;
    switch (marker) {
      case MARKER.jfif:
        if (!startsWith(segment, JFIF)) return undefined;
        break;
      case MARKER.baseline:
        if (frame) return undefined;
        frame = readFrame(segment);
        break;
      case MARKER.scan:
        return segment[0] === frame?.channels ? frame : undefined;
      default:
        if (!SKIPPED.includes(marker)) return undefined;
    }
  }
  return undefined;
}

/**
 * ITU-T T.81, B.2.2: bits, height and width, then three bytes for each channel: its name, its sampling factors and its
 * table. Channels named 1, 2 and 3 are YCbCr, with JFIF's segment and without; others may be anything.
 */
function readFrame(segment: Uint8Array): PlainHeader | undefined {
  const channels = segment[5];
  if ((channels !== 1 && channels !== 3) || segment.length !== 6 + 3 * channels || segment[0] !== 8)
    return undefined;
  for (let channel = 0; channel < channels; channel++) {
    const name = segment[6 + 3 * channel];
    const factors = segment[7 + 3 * channel] as number;
    const known = channel === 0 ? LUMINANCE_SAMPLINGS.includes(factors) : factors === 0x11;
    if (!known || (channels === 3 && name !== channel + 1)) return undefined;
  }
  const sideAt = (offset: number) => (segment[offset] as number) * 256 + (segment[offset + 1] as number);
  return { height: sideAt(1), width: sideAt(3), channels };
}
