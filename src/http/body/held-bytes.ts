import { ServiceError } from '../../errors.ts';
import type { Permits } from '../../threads/permits.ts';

/** What one request holds of MAX_INFLIGHT_BYTES, for its body or for its answer. */
export class HeldBytes {
  readonly #budget: Permits;
  #bytes = 0;
  #giveBack = () => {};

  constructor(budget: Permits) {
    this.#budget = budget;
  }

  /** @returns whether there are enough left. If not, it holds what it held before. */
  tryResize(bytes: number): boolean {
    this.#giveBack();
    const taken = this.#budget.tryTake(bytes);
    // Nothing else runs in between, so that what it held is still free.
    this.#giveBack = taken ?? this.#budget.tryTake(this.#bytes) ?? (() => {});
    if (taken) this.#bytes = bytes;
    return taken !== undefined;
  }

  /** @throws {ServiceError} OVERLOADED. */
  take(more: number): void {
    if (!this.tryResize(this.#bytes + more)) throw tooManyBytes();
  }

  /** Gives all of them back. May be called more than once. */
  release(): void {
    this.tryResize(0);
  }
}

export function tooManyBytes(): ServiceError {
  return new ServiceError('OVERLOADED', {
    message: 'The service holds as many bytes as it may.',
    reason: 'inflight_bytes',
    retryAfter: 1,
  });
}
