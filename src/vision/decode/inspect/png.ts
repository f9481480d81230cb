import { inflateSync, constants as zlib } from 'node:zlib';
import { ByteReader } from './byte-reader.ts';
import { inspectExif } from './exif.ts';
import { inspectProfile } from './icc.ts';
import { MAX_PROFILE_BYTES, PieceCounter, refuse, type Size } from './limits.ts';

/** Compressed texts of a picture, inflated. 200 texts of 8 kB each took libpng 0.6 s. */
const MAX_TEXT_BYTES = 4 * 1024 * 1024;
/** Deflate reaches 1:1032, so fewer bytes cannot become more than the limit. */
const HARMLESS_BYTES = MAX_TEXT_BYTES / 1032;
/** What a damaged text counts as: libpng inflates it up to the damage. */
const DAMAGED_TEXT_BYTES = MAX_TEXT_BYTES / 16;

const SIGNATURE_BYTES = 8;
/** Length, name and checksum. */
const CHUNK_BYTES = 12;

export function inspectPng(bytes: Uint8Array): Size | undefined {
  const file = new ByteReader(bytes);
  const pieces = new PieceCounter();
  const texts = new TextBudget();
  let size: Size | undefined;
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
        inspectProfile(inflateProfile(content));
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

/** Name, 0, method, profile. */
function inflateProfile(content: Uint8Array): Uint8Array {
  const compressed = content.subarray(content.indexOf(0) + 2);
  const profile = inflate(compressed, MAX_PROFILE_BYTES);
  if (profile === 'too long') refuse(`A colour profile of more than ${MAX_PROFILE_BYTES} bytes.`);
  return profile ?? new Uint8Array();
}

class TextBudget {
  #compressed = 0;
  #inflated = 0;

  add(text: Uint8Array): void {
    this.#compressed += text.length;
    if (this.#compressed <= HARMLESS_BYTES) return;
    const inflated = inflate(text, MAX_TEXT_BYTES - this.#inflated);
    if (inflated !== 'too long') this.#inflated += inflated?.length ?? DAMAGED_TEXT_BYTES;
    if (inflated === 'too long' || this.#inflated >= MAX_TEXT_BYTES) {
      refuse(`Compressed texts of more than ${MAX_TEXT_BYTES} bytes.`);
    }
  }
}

/** @returns undefined for damaged data; what there is of truncated data. */
function inflate(data: Uint8Array, limit: number): Uint8Array | 'too long' | undefined {
  try {
    return inflateSync(data, { maxOutputLength: Math.max(limit, 1), finishFlush: zlib.Z_SYNC_FLUSH });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'too long' : undefined;
  }
}
