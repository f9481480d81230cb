export interface BatcherOptions<Item, Result> {
  /** Maximum items of one run. */
  maxItems: number;
  /** Maximum wait for further items, in milliseconds. */
  windowMs: number;
  /** Gives a result for each item, in their order. It is called again only after its last call has settled. */
  run: (items: Item[]) => Promise<Result[]>;
}

interface PendingItem<Item, Result> {
  item: Item;
  /** The end of its wait, on the clock of performance.now(). */
  due: number;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * Gathers items that arrive one by one and handles several in one run, which starts when there are `maxItems` or when the
 * first has waited for `windowMs`. One run at a time; items that arrive meanwhile form the next batch.
 *
 * The number of pending items has no limit here: the engine limits how many images are processed at a time.
 */
export class Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result>;
  #pending: PendingItem<Item, Result>[] = [];
  #running = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: BatcherOptions<Item, Result>) {
    this.#options = options;
  }

  /**
   * @param options.immediate whether to start the run without a wait: with the items that are pending and those that are
   *   added in the same synchronous code.
   * @returns the item's own result.
   * @throws the error of its run, which rejects all items of that run and no others.
   */
  add(item: Item, { immediate = false } = {}): Promise<Result> {
    return new Promise((resolve, reject) => {
      const due = performance.now() + (immediate ? 0 : this.#options.windowMs);
      this.#pending.push({ item, due, resolve, reject });
      if (immediate) queueMicrotask(() => this.#advance());
      else this.#advance();
    });
  }

  /** Starts the next run if it is due, else sets the timer for it. */
  #advance(): void {
    if (this.#running || this.#pending.length === 0) return;
    const { maxItems } = this.#options;
    const wait = Math.min(...this.#pending.map(({ due }) => due)) - performance.now();
    clearTimeout(this.#timer);
    if (wait <= 0 || this.#pending.length >= maxItems) void this.#run(this.#pending.splice(0, maxItems));
    // Timers count whole milliseconds.
    else this.#timer = setTimeout(() => this.#advance(), Math.ceil(wait));
  }

  async #run(batch: PendingItem<Item, Result>[]): Promise<void> {
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
