/**
 * How long a caller counts, in milliseconds: the body of a caller nearby is there within it. A slower one must not keep others
 * away, and has to find a place when it is there.
 */
const EXPECTED_MS = 250;

/**
 * Callers who were let in and whose images are on their way. Without them, all who come while one place is free would be let in,
 * and under overload one in ten requests would be read, and parsed, only to be refused.
 */
export class Arrivals {
  /** At least one of each holder. */
  readonly #expected = new Map<string, number>();

  /** @param holder of the places that they will take. */
  count(holder = ''): number {
    return this.#expected.get(holder) ?? 0;
  }

  /** @returns a function that ends it, once however often it is called; after EXPECTED_MS it ends by itself. */
  expect(holder = ''): () => void {
    this.#expected.set(holder, this.count(holder) + 1);
    let expected = true;
    const end = () => {
      if (!expected) return;
      expected = false;
      clearTimeout(timer);
      const left = this.count(holder) - 1;
      if (left > 0) this.#expected.set(holder, left);
      else this.#expected.delete(holder);
    };
    const timer = setTimeout(end, EXPECTED_MS).unref();
    return end;
  }
}
