import type { ServerResponse } from 'node:http';
import type { Permits } from '../../threads/permits.ts';
import { HeldBytes } from '../body/held-bytes.ts';

/** An answer of at most this many bytes is not counted: a connection has one at a time, and connections are limited. */
const UNCOUNTED_BYTES = 64 * 1024;

/** The bytes of one answer, which count in MAX_INFLIGHT_BYTES while they are made and until they have left. */
export class AnswerBytes {
  readonly #budget: Permits;
  readonly #outgoing: ServerResponse | undefined;
  /** Undefined for a small answer, as most are. */
  #held: HeldBytes | undefined;
  #waiting = 0;

  /** @param outgoing at its end, or at that of its connection, the bytes are given back. */
  constructor(budget: Permits, outgoing: ServerResponse | undefined) {
    this.#budget = budget;
    this.#outgoing = outgoing;
  }

  /** @returns whether there is room for as many more. */
  tryAdd(bytes: number): boolean {
    const waiting = this.#waiting + bytes;
    if (waiting > UNCOUNTED_BYTES && !this.#hold().tryResize(waiting)) return false;
    this.#waiting = waiting;
    return true;
  }

  #hold(): HeldBytes {
    if (this.#held) return this.#held;
    this.#outgoing?.once('close', () => this.release());
    this.#held = new HeldBytes(this.#budget);
    return this.#held;
  }

  /** Gives back those that have left. */
  remove(bytes: number): void {
    this.#waiting -= bytes;
    this.#held?.tryResize(this.#waiting > UNCOUNTED_BYTES ? this.#waiting : 0);
  }

  /** Gives back all of them. */
  release(): void {
    this.remove(this.#waiting);
  }
}
