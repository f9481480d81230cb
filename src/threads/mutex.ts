/** Mutual exclusion among the asynchronous tasks of one thread, first come first served. */
export class Mutex {
  #locked = false;
  readonly #waiting: (() => void)[] = [];

  /**
   * @returns undefined when the caller holds the lock at once, so that it need not await; else a promise that settles when the
   *   caller holds it.
   */
  lock(): Promise<void> | undefined {
    if (this.#locked) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#locked = true;
    return undefined;
  }

  /** Passes the lock on. Every `lock` needs its `unlock`, whatever happens in between. */
  unlock(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#locked = false;
  }
}
