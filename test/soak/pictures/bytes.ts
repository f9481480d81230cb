/** Writers of numbers and of sequences, for files built by hand. */

export const u8 = (...values: number[]): Buffer => Buffer.from(values);

function integer(bytes: number, bigEndian: boolean) {
  return (value: number): Buffer => {
    const buffer = Buffer.alloc(bytes);
    if (bigEndian) buffer.writeUIntBE(value, 0, bytes);
    else buffer.writeUIntLE(value, 0, bytes);
    return buffer;
  };
}

export const u16be = integer(2, true);
export const u32be = integer(4, true);
export const u16le = integer(2, false);
export const u24le = integer(3, false);
export const u32le = integer(4, false);

export const ascii = (text: string): Buffer => Buffer.from(text, 'latin1');

export const join = (...parts: Uint8Array[]): Buffer => Buffer.concat(parts);

/** A block as often as it fits into a number of bytes. */
export function fill(block: Uint8Array, bytes: number): Buffer {
  return repeat(block, Math.max(1, Math.floor(bytes / block.length)));
}

export function repeat(block: Uint8Array, times: number): Buffer {
  return Buffer.alloc(block.length * times, block);
}

/** Bits written from the lowest of each byte, as deflate and GIF's LZW have them. */
export class BitWriter {
  readonly #bytes: number[] = [];
  #bits = 0;
  #value = 0;

  write(value: number, bits: number): this {
    for (let i = 0; i < bits; i++) {
      this.#value |= ((value >> i) & 1) << this.#bits;
      if (++this.#bits === 8) this.#flush();
    }
    return this;
  }

  /** The bytes, the last one filled with zeros. */
  end(): Buffer {
    if (this.#bits > 0) this.#flush();
    return Buffer.from(this.#bytes);
  }

  #flush(): void {
    this.#bytes.push(this.#value);
    this.#value = 0;
    this.#bits = 0;
  }
}
