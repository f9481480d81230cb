import { Permits } from './permits.ts';

export interface FairPermitsOptions {
  capacity: number;
  /**
   * Permits beyond the capacity, which only holders take who have less than their share while others hold the rest. Without them,
   * one holder could take all, and the next would be refused.
   */
  reserve: number;
  /** Maximum for one holder while others hold some; an equal share by default. */
  maxPerHolder?: number | undefined;
}

/**
 * Permits of which each holder has its share. A holder alone may take all. Among several, one that has less than its share
 * is refused last: it may take of the reserve, and others wait until the capacity is no longer exceeded.
 */
export class FairPermits {
  readonly #capacity: number;
  readonly #maxPerHolder: number | undefined;
  readonly #permits: Permits;
  /** How many permits each holder has; at least one. */
  readonly #held = new Map<string, number>();

  constructor({ capacity, reserve, maxPerHolder }: FairPermitsOptions) {
    this.#capacity = capacity;
    this.#maxPerHolder = maxPerHolder;
    this.#permits = new Permits(capacity + reserve);
  }

  /** What one holder may take. */
  get capacity(): number {
    return this.#capacity;
  }

  get taken(): number {
    return this.#permits.taken;
  }

  /** @returns a function that gives the permits back, once however often it is called; undefined if too few are left for this holder. */
  tryTake(count: number, holder = ''): (() => void) | undefined {
    if (!this.#mayTake(count, holder)) return undefined;
    const release = this.#permits.tryTake(count);
    if (release === undefined) return undefined;
    this.#held.set(holder, (this.#held.get(holder) ?? 0) + count);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      release();
      const left = (this.#held.get(holder) ?? 0) - count;
      if (left > 0) this.#held.set(holder, left);
      else this.#held.delete(holder);
    };
  }

  /** Whether a refusal is for the holder's share, and not because all permits are taken. */
  hasRoom(count: number): boolean {
    return this.taken + count <= this.#capacity;
  }

  #mayTake(count: number, holder: string): boolean {
    const held = this.#held.get(holder) ?? 0;
    const holders = this.#held.size + (held === 0 ? 1 : 0);
    if (holders === 1) return this.hasRoom(count);
    const share = this.#maxPerHolder ?? Math.max(1, Math.floor(this.#capacity / holders));
    if (held + count <= share) return true;
    // A batch larger than the share must be possible.
    const beyondMaximum = this.#maxPerHolder !== undefined && held > 0;
    return !beyondMaximum && this.hasRoom(count);
  }
}
