const MIN_BLOCK_BYTES = 1024;
const MAX_BLOCK_BYTES = 4 << 20;

/**
 * Collects bytes of unknown number. They are copied into blocks, so that a million small chunks take no more memory than a
 * few large ones. A block has a quarter of what has been collected, which is the maximum that is allocated in excess.
 */
export class ByteBlocks {
  readonly #onGrow: (bytes: number) => void;
  readonly #maxBlockBytes: number;
  #blocks: Uint8Array<ArrayBuffer>[] = [];
  /** Bytes used of the last block. */
  #used = 0;
  #collected = 0;
  #length = 0;

  /** @param onGrow is told the size of a block before it is allocated; when it throws, the block is not. */
  constructor(onGrow: (bytes: number) => void = () => {}, maxBlockBytes = MAX_BLOCK_BYTES) {
    this.#onGrow = onGrow;
    this.#maxBlockBytes = maxBlockBytes;
  }

  /** Bytes since the last `take`. */
  get length(): number {
    return this.#length;
  }

  append(chunk: Uint8Array): void {
    for (let offset = 0; offset < chunk.length; ) {
      const block = this.#blockWithRoom(chunk.length - offset);
      const count = Math.min(block.length - this.#used, chunk.length - offset);
      block.set(
        offset === 0 && count === chunk.length ? chunk : chunk.subarray(offset, offset + count),
        this.#used,
      );
      this.#used += count;
      this.#length += count;
      this.#collected += count;
      offset += count;
    }
  }

  /** @returns the bytes in a buffer of their own, and begins anew. */
  take(): Uint8Array<ArrayBuffer> {
    const blocks = this.#blocks;
    const last = blocks.pop();
    if (last && last.length === this.#length) {
      this.#begin();
      return last;
    }
    const whole = new Uint8Array(this.#length);
    let offset = 0;
    for (const block of blocks) {
      whole.set(block, offset);
      offset += block.length;
    }
    if (last) whole.set(last.subarray(0, this.#used), offset);
    this.#begin();
    return whole;
  }

  #begin(): void {
    this.#blocks = [];
    this.#used = 0;
    this.#length = 0;
  }

  #blockWithRoom(wanted: number): Uint8Array {
    const last = this.#blocks.at(-1);
    if (last && this.#used < last.length) return last;
    const size = Math.min(Math.max(this.#collected / 4, wanted, MIN_BLOCK_BYTES), this.#maxBlockBytes) | 0;
    this.#onGrow(size);
    // Memory that is not cleared first: all of it that is read has been written.
    const block = new Uint8Array(Buffer.allocUnsafeSlow(size).buffer as ArrayBuffer);
    this.#blocks.push(block);
    this.#used = 0;
    return block;
  }
}
