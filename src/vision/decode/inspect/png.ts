import { inflateRawSync, constants as zlib } from 'node:zlib';
import { ByteReader } from './byte-reader.ts';
import { inspectExif } from './exif.ts';
import { inspectProfile } from './icc.ts';
import { MAX_PROFILE_BYTES, PieceCounter, refuse, type Size } from './limits.ts';

/** Compressed texts of a picture, inflated. 200 texts of 8 kB each took libpng 0.6 s. */
const MAX_TEXT_BYTES = 4 * 1024 * 1024;
/**
 * Compressed bytes of texts, and of the profile. They may inflate to nothing and still take time: blocks of deflate without content
 * have code tables. 10 MB of them took 7.9 s as texts, which libpng inflates twice, and 4.2 s as a profile.
 */
const MAX_COMPRESSED_TEXT_BYTES = 1024 * 1024;
const MAX_COMPRESSED_PROFILE_BYTES = 3 * 1024 * 1024;
/** What a byte can become. */
const MAX_DEFLATION = 1032;
/** What damaged data counts as: libpng inflates it up to the damage. */
const DAMAGED_BYTES = 256 * 1024;
const ZLIB_HEADER_BYTES = 2;

const SIGNATURE_BYTES = 8;
/** Length, name and checksum. */
const CHUNK_BYTES = 12;

export function inspectPng(bytes: Uint8Array): Size | undefined {
  const file = new ByteReader(bytes);
  const pieces = new PieceCounter();
  const texts = new InflationBudget(MAX_TEXT_BYTES, MAX_COMPRESSED_TEXT_BYTES, 'Compressed texts');
  const profiles = new InflationBudget(MAX_PROFILE_BYTES, MAX_COMPRESSED_PROFILE_BYTES, 'A colour profile');
  let size: Size | undefined;
  let profile: Uint8Array | undefined;
  let at = SIGNATURE_BYTES;
  while (file.has(at, CHUNK_BYTES)) {
    const length = file.u32(at);
    const name = file.name(at + 4);
    const content = file.slice(at + 8, length);
    at += CHUNK_BYTES + length;
    pieces.add(length);
    switch (name) {
      case 'IHDR':
        size ??= { width: new ByteReader(content).u32(0), height: new ByteReader(content).u32(4) };
        break;
      case 'iCCP':
        // Name, 0, method, profile.
        profile = profiles.inflate(content.subarray(content.indexOf(0) + 2));
        // libpng may not reach the damage, and use the profile.
        if (profile === undefined) refuse('A damaged colour profile.');
        inspectProfile(profile);
        break;
      case 'eXIf':
        inspectExif(content);
        break;
      case 'zTXt':
        texts.add(content.subarray(content.indexOf(0) + 2));
        break;
      case 'iTXt':
        texts.add(compressedText(content));
        break;
      case 'IEND':
        return size;
    }
  }
  return size;
}

/** Keyword, 0, whether it is compressed, method, language, 0, translated keyword, 0, text. */
function compressedText(content: Uint8Array): Uint8Array {
  const flag = content.indexOf(0) + 1;
  if (content[flag] !== 1) return content.subarray(0, 0);
  const translated = content.indexOf(0, flag + 2) + 1;
  return content.subarray(content.indexOf(0, translated) + 1);
}

/** What the chunks of one kind may inflate to, together. */
class InflationBudget {
  readonly #limit: number;
  readonly #compressedLimit: number;
  readonly #what: string;
  #compressed = 0;
  #inflated = 0;

  constructor(limit: number, compressedLimit: number, what: string) {
    this.#limit = limit;
    this.#compressedLimit = compressedLimit;
    this.#what = what;
  }

  /** Refuses too much, and inflates only what may be. */
  add(compressed: Uint8Array): void {
    this.#count(compressed);
    if (this.#compressed * MAX_DEFLATION > this.#limit) this.#inflate(compressed);
  }

  /** @returns undefined for damaged data. */
  inflate(compressed: Uint8Array): Uint8Array | undefined {
    this.#count(compressed);
    return this.#inflate(compressed);
  }

  #count({ length }: Uint8Array): void {
    this.#compressed += length;
    if (this.#compressed > this.#compressedLimit) {
      refuse(`${this.#what} of more than ${this.#compressedLimit} compressed bytes.`);
    }
  }

  #inflate(compressed: Uint8Array): Uint8Array | undefined {
    const inflated = inflate(compressed, this.#limit - this.#inflated);
    if (inflated !== 'too long') this.#inflated += inflated?.length ?? DAMAGED_BYTES;
    if (inflated === 'too long' || this.#inflated >= this.#limit) {
      refuse(`${this.#what} of more than ${this.#limit} bytes.`);
    }
    return inflated;
  }
}

/** Does not check the checksum, as libpng. @returns undefined for damaged data; what there is of truncated data. */
function inflate(data: Uint8Array, limit: number): Uint8Array | 'too long' | undefined {
  try {
    return inflateRawSync(data.subarray(ZLIB_HEADER_BYTES), {
      maxOutputLength: Math.max(limit, 1),
      finishFlush: zlib.Z_SYNC_FLUSH,
    });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'too long' : undefined;
  }
}
