export interface BatcherOptions<Item, Result> {
  /** Most items of one run. */
  most: number;
  /** Longest wait for further items, in milliseconds. */
  windowMs: number;
  /** Gives a result for each item, in their order. It is never called before its last call has settled. */
  run: (items: Item[]) => Promise<Result[]>;
}

interface Waiting<Item, Result> {
  item: Item;
  /** When it waits no longer for others, on the clock of performance.now(). */
  due: number;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * Gathers items that come one by one and handles several in one run: as soon as there are `most` of them, or the first
 * has waited its time. One run at a time; what comes meanwhile makes up the next.
 *
 * It has no limit of its own for what waits: whoever adds waits for the result, and only so many do so at a time.
 */
export class Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result>;
  #waiting: Waiting<Item, Result>[] = [];
  #running = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: BatcherOptions<Item, Result>) {
    this.#options = options;
  }

  /**
   * @param options.hurry whether to wait for nothing but what is added in the same turn.
   * @returns the item's own result.
   * @throws what its run threw; that fails the items of this run and no others.
   */
  add(item: Item, { hurry = false } = {}): Promise<Result> {
    return new Promise((resolve, reject) => {
      const due = performance.now() + (hurry ? 0 : this.#options.windowMs);
      this.#waiting.push({ item, due, resolve, reject });
      if (hurry) queueMicrotask(() => this.#advance());
      else this.#advance();
    });
  }

  /** Begins the next run if it is time, or sees to it that it begins when it is. */
  #advance(): void {
    if (this.#running || this.#waiting.length === 0) return;
    const { most } = this.#options;
    const wait = Math.min(...this.#waiting.map(({ due }) => due)) - performance.now();
    clearTimeout(this.#timer);
    if (wait <= 0 || this.#waiting.length >= most) void this.#run(this.#waiting.splice(0, most));
    // Timers count whole milliseconds.
    else this.#timer = setTimeout(() => this.#advance(), Math.ceil(wait));
  }

  async #run(batch: Waiting<Item, Result>[]): Promise<void> {
    this.#running = true;
    try {
      const results = await this.#options.run(batch.map(({ item }) => item));
      if (results.length !== batch.length) {
        throw new Error(`A run of ${batch.length} items gave ${results.length} results.`);
      }
      for (const [index, { resolve }] of batch.entries()) resolve(results[index] as Result);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.#running = false;
      this.#advance();
    }
  }
}
