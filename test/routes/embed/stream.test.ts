import { describe, expect, it } from 'vitest';
import type { EmbedAnswer } from '../../../src/engine/engine.ts';
import { ServiceError } from '../../../src/errors.ts';
import { tinyAnswer } from '../../support/engine/engines.ts';
import { assembleScripted, widthOf } from './scripted-engine.ts';

const LINES = { Accept: 'application/x-ndjson' };

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

describe('Accept: application/x-ndjson', () => {
  it('sends each result as soon as it is ready, and then a last line', async () => {
    const { engine, send } = assembleScripted();
    const response = await send([1, 2, 3, 4, 5], LINES);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    const lines = lineReader(response);
    for (const image of [2, 3, 4, 1]) {
      await engine.answer(image);
      const line = await lines.next();
      expect(line.index).toBe(image - 1);
      expect(widthOf(line)).toBe(image);
    }
    await engine.fail(5, new ServiceError('NO_FACE_DETECTED', { detail: '0 faces' }));
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

  it('sends the same results as the JSON answer to the same batch', async () => {
    const both = await Promise.all(
      [{}, LINES].map(async (headers: Record<string, string>) => {
        const { engine, send } = assembleScripted();
        const answer = send([1, 2], { ...headers, 'X-Request-Id': 'same' });
        await engine.fail(2, new ServiceError('NO_FACE_DETECTED'));
        await engine.answer(1);
        return (await answer).text();
      }),
    );
    const [json, lines] = both as [string, string];
    const { results } = JSON.parse(json);
    expect(linesOf(lines).slice(0, 2)).toEqual([results[1], results[0]]);
  });

  it('applies to a single image in every transport, and sends its failure as a line', async () => {
    const { app, engine } = assembleScripted();
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
      await engine.answer(1);
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

  it('does not apply to the error of a whole request', async () => {
    const { app } = assembleScripted();
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
  ])('is preferred by "%s": %s', async (accept, preferred) => {
    const { engine, send } = assembleScripted();
    const answer = send([1], { Accept: accept });
    await engine.answer(1);
    expect((await answer).headers.get('content-type')).toBe(
      preferred ? 'application/x-ndjson' : 'application/json',
    );
  });
});

describe('a streamed answer', () => {
  it('is in flight until its last line is read, and holds places and bytes until its work is done', async () => {
    const { engine, send, records, bodies, read } = assembleScripted();
    const response = await send([1, 2], LINES);
    const lines = lineReader(response);
    await engine.answer(1);
    await lines.next();
    expect(engine.placesTaken).toBe(2);
    expect(bodies.taken).toBeGreaterThan(0);
    expect(await read('face_http_requests_in_flight')).toBe(1);
    expect(records).toEqual([]);
    await engine.answer(2);
    await expect.poll(() => engine.placesTaken).toBe(0);
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

  it('is computed even while the client does not read it', async () => {
    const { engine, send, records } = assembleScripted();
    const response = await send([1, 2, 3, 4, 5, 6], LINES);
    for (const image of [1, 2, 3, 4, 5, 6]) await engine.answer(image);
    await expect.poll(() => engine.placesTaken).toBe(0);
    expect(records).toEqual([]);
    expect(linesOf(await response.text())).toHaveLength(7);
  });

  it('starts no further image when the client cancels it', async () => {
    const { engine, send, records, bodies, read } = assembleScripted();
    const lines = lineReader(await send([1, 2, 3, 4, 5], LINES));
    await engine.answer(3);
    await lines.next();
    await expect.poll(() => engine.submitted).toEqual([1, 2, 3, 4]);
    await lines.cancel();
    await expect.poll(() => [...engine.pending.keys()]).toEqual([1]);
    expect(engine.placesTaken).toBe(5);
    expect(records).toEqual([]);
    await engine.answer(1);
    await expect.poll(() => records.length).toBe(1);
    expect(records).toMatchObject([{ status: 499, rejection: 'client_gone' }]);
    expect(engine.submitted).toEqual([1, 2, 3, 4]);
    expect(engine.placesTaken).toBe(0);
    expect(bodies.taken).toBe(0);
    expect(await read('face_http_requests_in_flight')).toBe(0);
    expect(await read('face_http_rejected_total{reason="client_gone"}')).toBe(1);
  });

  it('ends without the last line when it fails unexpectedly', async () => {
    const { engine, send, records, logged } = assembleScripted();
    const answer = await send([1, 2], LINES);
    await engine.answer(1);
    await expect.poll(() => engine.pending.has(2)).toBe(true);
    // An answer that cannot be described: it lacks the members of a face.
    engine.pending.get(2)?.resolve({ ...tinyAnswer(Uint8Array.of(2)), faces: [{}] } as EmbedAnswer);
    const lines = linesOf(await answer.text());
    expect(lines).toMatchObject([{ index: 0 }]);
    await expect.poll(() => records.length).toBe(1);
    expect(records).toMatchObject([{ status: 200, errorCode: 'PROCESSING_ERROR' }]);
    expect(logged.filter(({ level }) => level === 50)).toHaveLength(1);
    expect(engine.placesTaken).toBe(0);
  });
});
