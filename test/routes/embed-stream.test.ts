import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { Admission, EmbedAnswer } from '../../src/engine/engine.ts';
import { ServiceError } from '../../src/errors.ts';
import type { RequestRecord } from '../../src/observability/request-record.ts';
import { assembleApp } from '../support/app.ts';
import { TinyEngine, testConfig, tinyAdmission, tinyAnswer } from '../support/engines.ts';
import { answerOf } from '../support/http.ts';
import { seriesValue } from '../support/metric.ts';

/** Images whose answers the test gives when it likes to: each is one byte, by which it is told from the others. */
class Puppeteer {
  /** The images in the hands of the engine, in the order in which they came there. */
  readonly open = new Map<
    number,
    { resolve: (answer: EmbedAnswer) => void; reject: (error: unknown) => void }
  >();
  readonly submitted: number[] = [];
  places = 0;
  most = 0;
  readonly engine: TinyEngine;

  constructor() {
    this.engine = new TinyEngine({ phase: 'ready' }, (images) => {
      this.places += images;
      return this.#admission();
    });
  }

  /** Waits until the engine has this image, and answers it. */
  async answer(image: number): Promise<void> {
    await expect.poll(() => this.open.has(image), { interval: 1 }).toBe(true);
    this.open.get(image)?.resolve(tinyAnswer(Uint8Array.of(image)));
  }

  async fail(image: number, error: unknown): Promise<void> {
    await expect.poll(() => this.open.has(image), { interval: 1 }).toBe(true);
    this.open.get(image)?.reject(error);
  }

  #admission(): Admission {
    return tinyAdmission({
      release: () => {
        this.places = 0;
      },
      embed: (bytes, _options, signal) => {
        const image = bytes[0] as number;
        this.submitted.push(image);
        return new Promise<EmbedAnswer>((resolve, reject) => {
          // Like the queue: what has not begun is left out. Even images never begin here.
          if (image % 2 === 0) signal?.addEventListener('abort', () => reject(signal.reason));
          this.open.set(image, { resolve, reject });
          this.most = Math.max(this.most, this.open.size);
        }).finally(() => this.open.delete(image));
      },
    });
  }
}

function assemble(environment: Record<string, string> = {}) {
  const puppets = new Puppeteer();
  const records: RequestRecord[] = [];
  const logged: Record<string, unknown>[] = [];
  const log = pino({ level: 'trace' }, { write: (line) => logged.push(JSON.parse(line)) });
  const config = testConfig({ WORKERS: '3', MAX_BATCH_SIZE: '20', ...environment });
  const parts = assembleApp(config, puppets.engine, { log });
  const observers = [parts.metrics, { observe: (record: RequestRecord) => records.push(record) }];
  const { app, bodies, metrics } = assembleApp(config, puppets.engine, {
    log,
    metrics: parts.metrics,
    bodies: parts.bodies,
    observers,
  });
  const send = (images: number[], headers: Record<string, string> = {}, signal?: AbortSignal) =>
    app.request('/v1/embed', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify({ images: images.map((image) => Buffer.of(image).toString('base64')) }),
      ...(signal ? { signal } : {}),
    });
  const read = async (series: string) => seriesValue(await metrics.render(), series);
  return { app, puppets, records, logged, bodies, send, read };
}

const LINES = { Accept: 'application/x-ndjson' };

/** The widths of tiny answers are their images. */
const widthOf = (result: { image?: { width: number } }) => result.image?.width;

const linesOf = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

/** Reads lines one at a time. */
function lineReader(response: Response) {
  const reader = (response.body as ReadableStream<Uint8Array>)
    .pipeThrough(new TextDecoderStream())
    .getReader();
  let text = '';
  return {
    async next() {
      while (!text.includes('\n')) {
        const { done, value } = await reader.read();
        if (done) return undefined;
        text += value;
      }
      const line = text.slice(0, text.indexOf('\n'));
      text = text.slice(line.length + 1);
      return JSON.parse(line);
    },
    cancel: () => reader.cancel(),
  };
}

describe('a batch at work', () => {
  it('has as many images in the engine as there are workers, and answers in request order', async () => {
    const { puppets, send } = assemble();
    const answer = send([1, 2, 3, 4, 5, 6, 7]);
    for (const image of [3, 1, 2, 6, 5, 4, 7]) {
      await puppets.answer(image);
      expect(puppets.places).toBe(7);
    }
    const { body } = await answerOf(await answer);
    const { results } = body;
    expect(results.map(widthOf)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(results.map(({ index }: { index: number }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(puppets.submitted).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(puppets.most).toBe(3);
    expect(puppets.places).toBe(0);
  });

  it('goes on when an image fails, also unforeseen, which is logged and told in general', async () => {
    const { puppets, send, logged } = assemble();
    const answer = send([1, 2, 3, 4], { 'X-Request-Id': 'batch-1' });
    await puppets.fail(1, new Error('/secret/path: 0xdeadbeef'));
    await puppets.fail(2, 'oops');
    await puppets.fail(3, new ServiceError('DEADLINE_EXCEEDED'));
    await puppets.answer(4);
    const response = await answer;
    expect(response.status).toBe(200);
    const { results } = (await answerOf(response)).body;
    const unforeseen = {
      error: 'The request could not be processed.',
      error_code: 'PROCESSING_ERROR',
      request_id: 'batch-1',
    };
    expect(results.slice(0, 2)).toEqual([
      { index: 0, ...unforeseen },
      { index: 1, ...unforeseen },
    ]);
    expect(results[2]).toMatchObject({ index: 2, error_code: 'DEADLINE_EXCEEDED' });
    expect(widthOf(results[3])).toBe(4);
    expect(logged.filter(({ level }) => level === 50)).toMatchObject([
      { requestId: 'batch-1', err: { message: '/secret/path: 0xdeadbeef' } },
      { requestId: 'batch-1' },
    ]);
  });

  it('is given up when its caller goes: nothing further is begun, and what has begun is waited for', async () => {
    const { puppets, send, records } = assemble();
    const caller = new AbortController();
    const answer = send([1, 2, 3, 4, 5], {}, caller.signal);
    await puppets.answer(3);
    await expect.poll(() => puppets.submitted).toEqual([1, 2, 3, 4]);
    caller.abort(new Error('gone'));
    await expect.poll(() => [...puppets.open.keys()]).toEqual([1]);
    expect(puppets.places).toBe(5);
    await puppets.answer(1);
    await answer;
    expect(puppets.submitted).toEqual([1, 2, 3, 4]);
    expect(puppets.places).toBe(0);
    expect(records).toMatchObject([{ status: 499, rejection: 'client_gone' }]);
  });

  it('is counted: its images, their faces and their stages, and the log has the sums', async () => {
    const { puppets, send, records, read } = assemble();
    const answer = send([1, 2, 3, 4]);
    for (const image of [1, 2, 3]) await puppets.answer(image);
    await puppets.fail(4, new ServiceError('NO_FACE_DETECTED'));
    const response = await answer;
    // Three images, together.
    expect(response.headers.get('server-timing')).toBe(
      'queue;dur=15.0, decode;dur=3.0, detect;dur=6.0, align;dur=9.0, quality;dur=3.0, recognise;dur=12.0',
    );
    expect(records[0]?.images.map(({ faces, errorCode }) => errorCode ?? faces)).toEqual([
      1,
      1,
      1,
      'NO_FACE_DETECTED',
    ]);
    expect(await read('face_images_total{error_code=""}')).toBe(3);
    expect(await read('face_images_total{error_code="NO_FACE_DETECTED"}')).toBe(1);
    expect(await read('face_faces_per_image_count')).toBe(3);
    expect(await read('face_stage_duration_seconds_count{stage="detect"}')).toBe(3);
    expect(await read('face_stage_duration_seconds_sum{stage="detect"}')).toBeCloseTo(0.006, 6);
    expect(await read('face_http_requests_total{route="/v1/embed",status="200",error_code=""}')).toBe(1);
  });
});

describe('Accept: application/x-ndjson', () => {
  it('sends each result when it is ready, and then a last line', async () => {
    const { puppets, send } = assemble();
    const response = await send([1, 2, 3, 4, 5], LINES);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    const lines = lineReader(response);
    for (const image of [2, 3, 4, 1]) {
      await puppets.answer(image);
      const line = await lines.next();
      expect(line.index).toBe(image - 1);
      expect(widthOf(line)).toBe(image);
    }
    await puppets.fail(5, new ServiceError('NO_FACE_DETECTED', { detail: '0 faces' }));
    expect(await lines.next()).toEqual({
      index: 4,
      error: 'No face was detected in the image.',
      error_code: 'NO_FACE_DETECTED',
      detail: '0 faces',
      request_id: response.headers.get('x-request-id'),
    });
    expect(await lines.next()).toEqual({
      done: true,
      model: { name: 'tiny', embedding_size: 2, embedding_space: 'tiny:000000000000' },
    });
    expect(await lines.next()).toBeUndefined();
  });

  it('has the very results of the same batch as JSON', async () => {
    const both = await Promise.all(
      [{}, LINES].map(async (headers: Record<string, string>) => {
        const { puppets, send } = assemble();
        const answer = send([1, 2], { ...headers, 'X-Request-Id': 'same' });
        await puppets.fail(2, new ServiceError('NO_FACE_DETECTED'));
        await puppets.answer(1);
        return (await answer).text();
      }),
    );
    const [json, lines] = both as [string, string];
    const { results } = JSON.parse(json);
    expect(linesOf(lines).slice(0, 2)).toEqual([results[1], results[0]]);
  });

  it('goes for one image too, whatever the transport, and its failure is a line', async () => {
    const { app, puppets } = assemble();
    const bodies: [string, string | Uint8Array<ArrayBuffer>][] = [
      ['image/png', Uint8Array.of(1)],
      ['application/json', JSON.stringify({ image: 'AQ==' })],
    ];
    for (const [type, body] of bodies) {
      const answer = app.request('/v1/embed', {
        method: 'POST',
        headers: { 'Content-Type': type, ...LINES },
        body,
      });
      await puppets.answer(1);
      const [line, end, ...others] = linesOf(await (await answer).text());
      expect(line).toMatchObject({ index: 0, face_detected: true });
      expect(line).not.toHaveProperty('model');
      expect(end).toMatchObject({ done: true });
      expect(others).toEqual([]);
    }
    const bad = await app.request('/v1/embed', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...LINES },
      body: '{"image": "*"}',
    });
    expect(bad.status).toBe(200);
    expect(linesOf(await bad.text())).toMatchObject([
      { index: 0, error_code: 'INVALID_IMAGE' },
      { done: true },
    ]);
  });

  it('leaves the failure of a whole request what it is', async () => {
    const { app } = assemble();
    const response = await app.request('/v1/embed', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...LINES },
      body: '{"images": []}',
    });
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toMatchObject({ error_code: 'INVALID_REQUEST' });
  });

  it.each([
    ['application/x-ndjson', true],
    ['APPLICATION/X-NDJSON', true],
    ['application/x-ndjson; charset=utf-8', true],
    ['application/x-ndjson, application/json;q=0.5', true],
    ['application/x-ndjson, */*', true],
    ['application/json, application/x-ndjson;q=0.9', false],
    ['application/x-ndjson;q=0', false],
    ['application/*', false],
    ['*/*', false],
    ['text/html', false],
    ['', false],
    ['nonsense;;q==,', false],
  ])('"%s": %s', async (accept, lines) => {
    const { puppets, send } = assemble();
    const answer = send([1], { Accept: accept });
    await puppets.answer(1);
    expect((await answer).headers.get('content-type')).toBe(
      lines ? 'application/x-ndjson' : 'application/json',
    );
  });
});

describe('a stream', () => {
  it('is in flight until its last line has been read, and its places and bytes until its work is done', async () => {
    const { puppets, send, records, bodies, read } = assemble();
    const response = await send([1, 2], LINES);
    const lines = lineReader(response);
    await puppets.answer(1);
    await lines.next();
    expect(puppets.places).toBe(2);
    expect(bodies.taken).toBeGreaterThan(0);
    expect(await read('face_http_requests_in_flight')).toBe(1);
    expect(records).toEqual([]);
    await puppets.answer(2);
    await expect.poll(() => puppets.places).toBe(0);
    expect(bodies.taken).toBe(0);
    expect(records).toEqual([]);
    while (await lines.next());
    await expect.poll(() => records.length).toBe(1);
    expect(records).toMatchObject([
      { status: 200, errorCode: undefined, images: [{ faces: 1 }, { faces: 1 }] },
    ]);
    expect(records[0]?.bytesIn).toBeGreaterThan(0);
    expect(await read('face_http_requests_in_flight')).toBe(0);
  });

  it('is worked on even when nobody reads it', async () => {
    const { puppets, send, records } = assemble();
    const response = await send([1, 2, 3, 4, 5, 6], LINES);
    for (const image of [1, 2, 3, 4, 5, 6]) await puppets.answer(image);
    await expect.poll(() => puppets.places).toBe(0);
    expect(records).toEqual([]);
    expect(linesOf(await response.text())).toHaveLength(7);
  });

  it('that is broken off is given up: nothing further is begun', async () => {
    const { puppets, send, records, bodies, read } = assemble();
    const lines = lineReader(await send([1, 2, 3, 4, 5], LINES));
    await puppets.answer(3);
    await lines.next();
    await expect.poll(() => puppets.submitted).toEqual([1, 2, 3, 4]);
    await lines.cancel();
    await expect.poll(() => [...puppets.open.keys()]).toEqual([1]);
    expect(puppets.places).toBe(5);
    expect(records).toEqual([]);
    await puppets.answer(1);
    await expect.poll(() => records.length).toBe(1);
    expect(records).toMatchObject([{ status: 499, rejection: 'client_gone' }]);
    expect(puppets.submitted).toEqual([1, 2, 3, 4]);
    expect(puppets.places).toBe(0);
    expect(bodies.taken).toBe(0);
    expect(await read('face_http_requests_in_flight')).toBe(0);
    expect(await read('face_http_rejected_total{reason="client_gone"}')).toBe(1);
  });

  it('that fails unforeseen ends without its last line', async () => {
    const { puppets, send, records, logged } = assemble();
    const answer = await send([1, 2], LINES);
    await puppets.answer(1);
    await expect.poll(() => puppets.open.has(2)).toBe(true);
    // What the engine gives cannot be described.
    puppets.open.get(2)?.resolve({ ...tinyAnswer(Uint8Array.of(2)), faces: [{}] } as EmbedAnswer);
    const lines = linesOf(await answer.text());
    expect(lines).toMatchObject([{ index: 0 }]);
    await expect.poll(() => records.length).toBe(1);
    expect(records).toMatchObject([{ status: 200, errorCode: 'PROCESSING_ERROR' }]);
    expect(logged.filter(({ level }) => level === 50)).toHaveLength(1);
    expect(puppets.places).toBe(0);
  });
});
