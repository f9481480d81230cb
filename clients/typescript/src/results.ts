import type { AlignedFaceResult, FaceResult, FacesResult } from './types.ts';

export type ManyResult = FaceResult | FacesResult | AlignedFaceResult;

/** Results on their way to the consumer. */
export class Results {
  readonly #order: 'input' | 'ready';
  readonly #maxAhead: number;
  /** By position. A map keeps the order in which they came. */
  readonly #there = new Map<number, ManyResult>();
  #nextIndex = 0;
  /** Images that were taken and whose results were not. */
  #ahead = 0;
  #isOver = false;
  #failure: { error: unknown } | undefined;
  #wakeReader = () => {};
  #wakeSource = () => {};

  constructor(order: 'input' | 'ready', maxAhead: number) {
    this.#order = order;
    this.#maxAhead = maxAhead;
  }

  /** Waits while the consumer is far behind. */
  async room(): Promise<void> {
    while (this.#ahead >= this.#maxAhead && !this.#isOver) {
      await new Promise<void>((wake) => {
        this.#wakeSource = wake;
      });
    }
  }

  expect(): void {
    this.#ahead++;
  }

  add(result: ManyResult): void {
    this.#there.set(result.index, result);
    this.#wakeReader();
  }

  end(): void {
    this.#isOver = true;
    this.#wakeReader();
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.end();
  }

  /** Lets the source end. */
  consumed(): void {
    this.#isOver = true;
    this.#wakeSource();
  }

  async *read(): AsyncGenerator<ManyResult, void, undefined> {
    for (;;) {
      const result = this.#take();
      if (result) {
        yield result;
      } else if (this.#failure) {
        throw this.#failure.error;
      } else if (this.#isOver) {
        return;
      } else {
        await new Promise<void>((wake) => {
          this.#wakeReader = wake;
        });
      }
    }
  }

  #take(): ManyResult | undefined {
    const index = this.#order === 'input' ? this.#nextIndex : this.#there.keys().next().value;
    const result = index === undefined ? undefined : this.#there.get(index);
    if (index === undefined || result === undefined) return undefined;
    this.#there.delete(index);
    this.#nextIndex++;
    this.#ahead--;
    this.#wakeSource();
    return result;
  }
}
