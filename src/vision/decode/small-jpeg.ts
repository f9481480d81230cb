import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import createModule from '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs';
import type { Pixels } from '../picture.ts';
import { ascii, startsWith } from './format.ts';

/**
 * Up to this size the decoder is faster than sharp: a busy service gains 4 to 5 % of throughput at 250×250, 1.5 % at
 * 640×480. At 800×600 it loses: sharp's vector code then outweighs the set-up of its pipeline.
 */
const MAX_PIXELS = 640 * 480;
/** Encoded pictures are smaller than their pixels. WebAssembly never frees its memory, so larger files go to sharp. */
const MAX_BYTES = 3 * MAX_PIXELS;

const FILE = createRequire(import.meta.url).resolve('@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasm');

type JpegDecoder = InstanceType<Awaited<ReturnType<typeof createModule>>['JPEGDecoder']>;

let compiled: WebAssembly.Module | undefined;
let decoder: JpegDecoder | undefined;
let opening: Promise<void> | undefined;

/**
 * Opens the decoder of this thread unless it is open. A worker does so before its first picture. Afterwards, too, a picture
 * waits for the decoder and never goes to sharp because it is closed: which decoder takes a picture, and so the answer for a
 * damaged one, depends on its bytes only.
 *
 * @throws {Error} if there is no memory for it. The next call tries again.
 */
export async function openSmallJpegDecoder(): Promise<void> {
  if (decoder) return;
  opening ??= openDecoder().finally(() => {
    opening = undefined;
  });
  await opening;
}

async function openDecoder(): Promise<void> {
  // Compiled once for all instances of this thread, so that another one takes a few milliseconds.
  compiled ??= new WebAssembly.Module(readFileSync(FILE));
  const module = compiled;
  const { JPEGDecoder } = await createModule({
    // libjpeg's messages may quote the image, so they are dropped.
    print: () => {},
    printErr: () => {},
    instantiateWasm(imports, done) {
      const instance = new WebAssembly.Instance(module, imports);
      done(instance);
      return instance.exports;
    },
  });
  decoder = new JPEGDecoder();
}

/**
 * Decodes the most common kind of small picture: a baseline JPEG in colour or grey, with neither an orientation nor a colour
 * profile. sharp takes longer to set up its pipeline than libjpeg-turbo to decode one of these. The pixels equal sharp's bit
 * for bit, since both use libjpeg's integer arithmetic; they may differ in a damaged file in which neither notices the damage.
 *
 * @returns undefined for any other picture and wherever libjpeg reports an error or a warning: sharp then decodes it.
 */
export async function decodeSmallJpeg(bytes: Uint8Array, maxPixels: number): Promise<Pixels | undefined> {
  if (bytes.length > MAX_BYTES) return undefined;
  const header = readPlainHeader(bytes);
  if (header === undefined) return undefined;
  const { width, height, channels } = header;
  if (width * height > Math.min(maxPixels, MAX_PIXELS)) return undefined;
  // Another picture may have closed it by the time this one goes on.
  while (decoder === undefined) await openSmallJpegDecoder();
  try {
    decoder.getEncodedBuffer(bytes.length).set(bytes);
    decoder.decode();
    const decoded = decoder.getDecodedBuffer();
    if (decoded.length !== width * height * channels) return undefined;
    const data = channels === 3 ? new Uint8Array(decoded.slice().buffer) : repeatThrice(decoded);
    return { data, width, height };
  } catch {
    // An exception does not unwind WebAssembly's stack; a dozen of them would use it up. So the next picture gets a new instance.
    decoder = undefined;
    return undefined;
  }
}

/** From grey to red, green and blue. Writing three words for four pixels takes half as long as writing bytes. */
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
 * @returns undefined if a segment may hold an orientation, a colour profile or another encoding.
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
 * table. Channels named 1, 2 and 3 are YCbCr, with or without a JFIF segment; other names leave the colour space open.
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
