import type { VisionStage, VisionTimes } from '../observability/stages.ts';

/** Measures how long an image spends in each stage. */
export class StageClock {
  /** Milliseconds. */
  readonly timings: VisionTimes = {
    decode: 0,
    detect: 0,
    align: 0,
    quality: 0,
    recognise: 0,
  };
  /** Milliseconds that it waited for something between two stages. */
  waited = 0;
  #last = performance.now();

  /** Ends a stage, which began with the last call. */
  readonly lap = (stage: VisionStage): void => {
    const now = performance.now();
    this.timings[stage] = (this.timings[stage] ?? 0) + now - this.#last;
    this.#last = now;
  };

  /** Waits for a promise, between two stages. */
  async pause(settled: Promise<void> | undefined): Promise<void> {
    if (settled === undefined) return;
    const started = performance.now();
    await settled;
    const ms = performance.now() - started;
    this.waited += ms;
    this.#last += ms;
  }

  /** @returns the stages of an image that failed: those that ended, and the one that it failed in. */
  stagesUntilNow(): Record<string, number> {
    const { decode, detect } = this.timings;
    // Each image is decoded and searched for faces; what a face goes through is measured piece by piece.
    if (decode === 0 || detect === 0) this.lap(decode === 0 ? 'decode' : 'detect');
    const begun = Object.entries(this.timings).filter(([, ms]) => ms > 0);
    return { queue: this.waited, ...Object.fromEntries(begun) };
  }
}
