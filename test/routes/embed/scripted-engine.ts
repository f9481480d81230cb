import { pino } from 'pino';
import { expect } from 'vitest';
import type { Admission, EmbedAnswer } from '../../../src/engine/engine.ts';
import type { RequestObserver, RequestRecord } from '../../../src/observability/request-record.ts';
import { TinyEngine, testConfig, tinyAdmission, tinyAnswer } from '../../support/engine/engines.ts';
import { assembleApp } from '../../support/http/app.ts';
import { seriesValue } from '../../support/http/metric.ts';

/** An engine whose answers the test gives, in any order. Each image is one byte, which identifies it. */
class ScriptedEngine {
  /** The images that the engine has and has not answered, in the order of their arrival. */
  readonly pending = new Map<
    number,
    { resolve: (answer: EmbedAnswer) => void; reject: (error: unknown) => void }
  >();
  readonly submitted: number[] = [];
  placesTaken = 0;
  /** Maximum images that were pending at a time. */
  peak = 0;
  readonly engine: TinyEngine;

  constructor() {
    this.engine = new TinyEngine({ phase: 'ready' }, (images) => {
      this.placesTaken += images;
      return this.#admission();
    });
  }

  /** Waits until the engine has this image, and answers it. */
  async answer(image: number): Promise<void> {
    await expect.poll(() => this.pending.has(image), { interval: 1 }).toBe(true);
    this.pending.get(image)?.resolve(tinyAnswer(Uint8Array.of(image)));
  }

  async fail(image: number, error: unknown): Promise<void> {
    await expect.poll(() => this.pending.has(image), { interval: 1 }).toBe(true);
    this.pending.get(image)?.reject(error);
  }

  #admission(): Admission {
    return tinyAdmission({
      release: () => {
        this.placesTaken = 0;
      },
      embed: (bytes, _options, signal) => {
        const image = bytes[0] as number;
        this.submitted.push(image);
        return new Promise<EmbedAnswer>((resolve, reject) => {
          // As in the queue, an abort removes images that have not started: here, the even ones.
          if (image % 2 === 0) signal?.addEventListener('abort', () => reject(signal.reason));
          this.pending.set(image, { resolve, reject });
          this.peak = Math.max(this.peak, this.pending.size);
        }).finally(() => this.pending.delete(image));
      },
    });
  }
}

/** The application around a scripted engine of three workers, with what it logs, records and counts. */
export function assembleScripted() {
  const engine = new ScriptedEngine();
  const records: RequestRecord[] = [];
  const logged: Record<string, unknown>[] = [];
  const log = pino({ level: 'trace' }, { write: (line) => logged.push(JSON.parse(line)) });
  const config = testConfig({ WORKERS: '3', MAX_BATCH_SIZE: '20' });
  const observers: RequestObserver[] = [{ observe: (record) => records.push(record) }];
  const { app, bodies, metrics } = assembleApp(config, engine.engine, { log, observers });
  observers.unshift(metrics);
  const send = (images: number[], headers: Record<string, string> = {}, signal?: AbortSignal) =>
    app.request('/v1/embed', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify({ images: images.map((image) => Buffer.of(image).toString('base64')) }),
      ...(signal ? { signal } : {}),
    });
  const read = async (series: string) => seriesValue(await metrics.render(), series);
  return { app, engine, records, logged, bodies, send, read };
}

/** The widths of scripted answers are their images. */
export const widthOf = (result: { image?: { width: number } }) => result.image?.width;
