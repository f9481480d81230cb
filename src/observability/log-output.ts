import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';

/** Bytes of lines that are held while standard output takes none: about 2,500 lines. */
const MAX_HELD_BYTES = 1 << 20;
/** Bytes of lines that are written at a time: as many as a pipe takes. */
const BATCH_BYTES = 64 * 1024;
/** How often held lines are tried again, in milliseconds. A pipe takes 64 KiB at a time, so up to 6 MiB a second. */
const RETRY_MS = 10;
/** How long the end of the process waits for a reader, in milliseconds. */
const FLUSH_MS = 1_000;
/** The pause between two attempts of a flush, in milliseconds. */
const FLUSH_PAUSE_MS = 5;

/**
 * Writes lines to a file descriptor and never waits for its reader. A line is written before `write` returns, since the last line
 * before a crash matters most; further ones of the same turn of the event loop are written together at its end, because under
 * overload most of the turn would be spent on writing. While the descriptor takes none (its reader is stalled or gone, or the
 * volume is full), lines are held up to a limit, and those beyond it are dropped and counted.
 */
export class LogOutput {
  readonly #fd: number;
  /** What has not been written: lines of this turn of the event loop, or of a stalled reader. */
  readonly #held: Uint8Array[] = [];
  #heldBytes = 0;
  #dropped = 0;
  /** Of the dropped lines, those that `onResumed` has been told of. */
  #reported = 0;
  #retry: NodeJS.Timeout | undefined;
  /** Whether a line has been written in this turn of the event loop. */
  #hasWritten = false;
  /** Called when lines are written again after some were dropped. */
  onResumed: (dropped: number) => void = () => {};

  constructor(fd: number) {
    this.#fd = withoutWaiting(fd);
  }

  /** Lines that were dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** @param line ends with a line break. */
  write(line: string): void {
    const bytes = Buffer.from(line);
    const isStalled = this.#retry !== undefined;
    if (isStalled && this.#heldBytes + bytes.length > MAX_HELD_BYTES) {
      this.#dropped++;
      return;
    }
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (isStalled || (this.#hasWritten && this.#heldBytes < BATCH_BYTES)) return;
    if (!this.#hasWritten) {
      this.#hasWritten = true;
      setImmediate(() => this.#endTurn());
    }
    this.#writeOrRetry();
  }

  #endTurn(): void {
    this.#hasWritten = false;
    if (this.#retry === undefined) this.#writeOrRetry();
  }

  #writeOrRetry(): void {
    if (!this.#writeHeld()) this.#retry = setInterval(() => this.#resume(), RETRY_MS).unref();
  }

  /** Writes what is held, and waits for the reader for a moment. For the end of the process. */
  flush(limitMs = FLUSH_MS): void {
    const end = performance.now() + limitMs;
    const cell = new Int32Array(new SharedArrayBuffer(4));
    while (!this.#writeHeld() && performance.now() < end) Atomics.wait(cell, 0, 0, FLUSH_PAUSE_MS);
  }

  #resume(): void {
    if (!this.#writeHeld()) return;
    clearInterval(this.#retry);
    this.#retry = undefined;
    const dropped = this.#dropped - this.#reported;
    this.#reported = this.#dropped;
    if (dropped > 0) this.onResumed(dropped);
  }

  /** Writes several lines at a time. @returns whether all held lines have been written. */
  #writeHeld(): boolean {
    while (this.#held.length > 0) {
      let count = 0;
      let length = 0;
      while (count < this.#held.length && (count === 0 || length < BATCH_BYTES))
        length += (this.#held[count++] as Uint8Array).length;
      const written = this.#tryWrite(Buffer.concat(this.#held.slice(0, count), length));
      this.#discard(written);
      if (written < length) return false;
    }
    return true;
  }

  /** @param bytes that have been written. The rest of a line must follow. */
  #discard(bytes: number): void {
    this.#heldBytes -= bytes;
    let left = bytes;
    let done = 0;
    for (let first = this.#held[done]; first && left >= first.length; first = this.#held[done]) {
      left -= first.length;
      done++;
    }
    this.#held.splice(0, done);
    if (left > 0) this.#held[0] = (this.#held[0] as Uint8Array).subarray(left);
  }

  /** @returns how many bytes were written. Whatever the reason why not all were, they may be accepted later. */
  #tryWrite(bytes: Uint8Array): number {
    try {
      return writeSync(this.#fd, bytes);
    } catch {
      return 0;
    }
  }
}

/** @returns a descriptor of the same output on which a write fails instead of waiting for a reader. A file has none. */
function withoutWaiting(fd: number): number {
  const stats = fstatSync(fd);
  if (!stats.isFIFO() && !stats.isSocket() && !isatty(fd)) return fd;
  try {
    // Opened again, so that other programs that share it are not affected.
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    // A socket, a pipe of another user, or not Linux. Node's own stream makes the shared descriptor one that does not wait.
    return fd === 1 ? (process.stdout.fd ?? fd) : fd;
  }
}
