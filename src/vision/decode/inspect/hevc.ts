import { ByteReader } from './byte-reader.ts';
import { refuse, type Size } from './limits.ts';

/** Units of HEVC (ITU-T H.265, table 7-1): slices of pictures come first; parameters of pictures are of three types. */
const LAST_SLICE = 31;
const SEQUENCE_PARAMETERS = 33;
const PARAMETERS = [32, 33, 34];

/** What the decoder is set up with. */
export interface HevcConfiguration {
  /** Of the pictures that are decoded, whatever the file says elsewhere. */
  size: Size;
  /** Bytes of the length before each unit. */
  lengthBytes: number;
}

/** Reads the contents of a box `hvcC` (ISO/IEC 14496-15, 8.3.3.1): arrays of units that hold parameters. */
export function readHevcConfiguration(content: ByteReader): HevcConfiguration {
  let size: Size = { width: 0, height: 0 };
  let at = 23;
  for (let array = content.u8(22); array > 0; array--) {
    // The type of the array is not looked at: the units say their own.
    let units = content.u16(at + 1);
    at += 3;
    for (; units > 0 && content.has(at, 2); units--) {
      const length = content.u16(at);
      if (((content.u8(at + 2) >> 1) & 63) === SEQUENCE_PARAMETERS) {
        const other = readSequenceSize(content.slice(at + 2, length));
        if (other.width * other.height > size.width * size.height) size = other;
      }
      at += 2 + length;
    }
  }
  return { size, lengthBytes: (content.u8(21) & 3) + 1 };
}

/** Counts the pictures among units that have their length before them. */
export function countHevcPictures(data: Uint8Array, lengthBytes: number): number {
  let pictures = 0;
  let at = 0;
  while (at + lengthBytes <= data.length) {
    let length = 0;
    for (let index = 0; index < lengthBytes; index++) length = length * 256 + (data[at + index] ?? 0);
    at += lengthBytes;
    const type = ((data[at] ?? 0) >> 1) & 63;
    // They would make pictures of another size.
    if (PARAMETERS.includes(type)) refuse('Parameters of pictures among their slices.');
    // The bit after the header says that the slice is the first one of a picture.
    if (type <= LAST_SLICE && (data[at + 2] ?? 0) >= 0x80) pictures++;
    at += length;
  }
  return pictures;
}

/** Reads a sequence parameter set up to the size (ITU-T H.265, 7.3.2.2). */
function readSequenceSize(unit: Uint8Array): Size {
  const bits = new BitReader(withoutEmulation(unit.subarray(2)));
  bits.skip(4);
  const subLayers = bits.read(3);
  // Whether layers are nested; profile and level (7.3.3).
  bits.skip(1 + 88 + 8);
  const present = Array.from({ length: subLayers }, () => ({ profile: bits.read(1), level: bits.read(1) }));
  if (subLayers > 0) bits.skip(2 * (8 - subLayers));
  for (const { profile, level } of present) bits.skip(88 * profile + 8 * level);
  bits.exponential();
  if (bits.exponential() === 3) bits.skip(1);
  const width = bits.exponential();
  return { width, height: bits.exponential() };
}

/** Removes the byte 3 of each 0, 0, 3, which is there so that no marker appears (7.3.1.1). */
const withoutEmulation = (bytes: Uint8Array) =>
  bytes.filter((byte, at) => !(byte === 3 && at >= 2 && bytes[at - 1] === 0 && bytes[at - 2] === 0));

class BitReader {
  readonly #bytes: ByteReader;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = new ByteReader(bytes);
  }

  skip(count: number): void {
    this.#at += count;
  }

  read(count: number): number {
    let value = 0;
    for (let index = 0; index < count; index++, this.#at++) {
      value = value * 2 + ((this.#bytes.u8(this.#at >> 3) >> (7 - (this.#at & 7))) & 1);
    }
    return value;
  }

  /** An unsigned number after Exp-Golomb (9.2). */
  exponential(): number {
    let zeros = 0;
    while (zeros < 32 && this.read(1) === 0) zeros++;
    return 2 ** zeros - 1 + this.read(zeros);
  }
}
