/** A counting semaphore that never waits: a request for more permits than are left is refused. */
export class Permits {
  readonly capacity: number;
  #taken = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get taken(): number {
    return this.#taken;
  }

  /** @returns a function that gives the permits back, once however often it is called; undefined if too few are left. */
  tryTake(count: number): (() => void) | undefined {
    if (this.#taken + count > this.capacity) return undefined;
    this.#taken += count;
    let held = true;
    return () => {
      if (held) this.#taken -= count;
      held = false;
    };
  }
}
