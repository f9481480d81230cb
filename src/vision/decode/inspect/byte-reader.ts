/**
 * Reads numbers from a file that may be damaged: beyond its end all bytes are 0, so that nothing throws. Where that would not
 * end a loop, `has` does.
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly littleEndian: boolean;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, littleEndian = false) {
    this.bytes = bytes;
    this.length = bytes.length;
    this.littleEndian = littleEndian;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  has(at: number, count: number): boolean {
    return at >= 0 && at + count <= this.length;
  }

  u8(at: number): number {
    return this.bytes[at] ?? 0;
  }

  u16(at: number): number {
    return this.has(at, 2) ? this.#view.getUint16(at, this.littleEndian) : 0;
  }

  u24(at: number): number {
    return this.littleEndian
      ? this.u16(at) + this.u8(at + 2) * 0x10000
      : this.u8(at) * 0x10000 + this.u16(at + 1);
  }

  u32(at: number): number {
    return this.has(at, 4) ? this.#view.getUint32(at, this.littleEndian) : 0;
  }

  /** Also beyond 2^53, where a number is rounded: such an offset is beyond the end of any file. */
  u64(at: number): number {
    return this.littleEndian
      ? this.u32(at) + this.u32(at + 4) * 2 ** 32
      : this.u32(at) * 2 ** 32 + this.u32(at + 4);
  }

  /** Four bytes as text. */
  name(at: number): string {
    return String.fromCharCode(this.u8(at), this.u8(at + 1), this.u8(at + 2), this.u8(at + 3));
  }

  slice(at: number, count: number): Uint8Array {
    return this.bytes.subarray(at, at + count);
  }
}
