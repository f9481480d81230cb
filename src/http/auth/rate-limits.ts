import { ServiceError } from '../../errors.ts';

/** Callers that are remembered. The one that was not seen for longest is forgotten, and begins anew. */
const MAX_CALLERS = 10_000;

interface Bucket {
  tokens: number;
  /** When `tokens` was right, on the clock of performance.now(). */
  at: number;
}

/**
 * A token bucket for each caller: a second's tokens at most, and a request that finds one takes as many as it has images. A batch
 * may leave less than none, which its caller waits for. So no batch is too large, and the average is kept.
 */
export class RateLimits {
  readonly #perSecond: number;
  readonly #capacity: number;
  /** In the order of their last use. */
  readonly #buckets = new Map<string, Bucket>();

  /** @param perSecond 0 for no limit. */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#capacity = Math.max(1, perSecond);
  }

  /** @throws {ServiceError} RATE_LIMITED. */
  take(caller: string, now = performance.now()): void {
    if (this.#perSecond === 0) return;
    const bucket = this.#refill(caller, now);
    if (bucket.tokens < 1) {
      const retryAfter = Math.ceil((1 - bucket.tokens) / this.#perSecond);
      throw new ServiceError('RATE_LIMITED', { retryAfter });
    }
    bucket.tokens--;
  }

  /** Takes what a request costs beyond its first image. */
  charge(caller: string | undefined, images: number, now = performance.now()): void {
    if (this.#perSecond === 0 || caller === undefined || images <= 0) return;
    this.#refill(caller, now).tokens -= images;
  }

  /** Callers that are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  #refill(caller: string, now: number): Bucket {
    const known = this.#buckets.get(caller);
    const bucket = known ?? { tokens: this.#capacity, at: now };
    bucket.tokens = Math.min(this.#capacity, bucket.tokens + ((now - bucket.at) / 1000) * this.#perSecond);
    bucket.at = now;
    // The end of the order.
    if (known) this.#buckets.delete(caller);
    this.#buckets.set(caller, bucket);
    if (this.#buckets.size > MAX_CALLERS) {
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest);
        break;
      }
    }
    return bucket;
  }
}
