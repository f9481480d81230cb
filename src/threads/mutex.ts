/** Lets one at a time, first come first served. Whoever finds it free goes on at once, without giving up the thread. */
export class Turns {
  #taken = false;
  readonly #waiting: (() => void)[] = [];

  /** @returns undefined when the turn is the caller's already, else what settles when it is. */
  take(): Promise<void> | undefined {
    if (this.#taken) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#taken = true;
    return undefined;
  }

  /** Must follow each `take`, whatever happened in between. */
  pass(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#taken = false;
  }
}
