import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { EmbedAnswer } from '../../src/engine/engine.ts';
import { TinyEngine, testConfig, tinyAdmission, tinyAnswer } from '../support/engine/engines.ts';
import { HeldEngine } from '../support/engine/held-engine.ts';
import { metric } from '../support/http/metric.ts';
import { RawConnection, statuses } from '../support/http/raw-connection.ts';
import { listenWith } from '../support/processes/listening.ts';

const AN_HOUR = '3600000';

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

/** An answer that is 1.1 MB as JSON. */
function largeAnswer(image: Uint8Array): EmbedAnswer {
  const answer = tinyAnswer(image);
  const face = { ...(answer.faces[0] as EmbedAnswer['faces'][number]), embedding: embedding() };
  return { ...answer, faces: Array(100).fill(face) };
}

const embedding = () => Float32Array.from({ length: 2048 }, (_, i) => Math.sin(i + 1));

/** Base64 is written faster than numbers. */
const OPTIONS = { faces: 'all', encoding_format: 'base64' };

async function start(environment: Record<string, string>) {
  const engine = new TinyEngine({ phase: 'ready' }, () =>
    tinyAdmission({ embed: async (image) => largeAnswer(image) }),
  );
  const service = await listenWith(testConfig(environment), engine);
  ending.push(service.close);
  return service;
}

const ACCEPT_LINES = 'Accept: application/x-ndjson\r\n';

/** Asks for all faces of so many images, and reads nothing of the answer. */
async function askAndStall(port: number, images: number, accept = ''): Promise<RawConnection> {
  const connection = new RawConnection(port);
  ending.push(() => connection.close());
  connection.stall();
  const body = JSON.stringify({ ...OPTIONS, images: Array(images).fill('AQ==') });
  await connection.write(
    `POST /v1/embed HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${accept}` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  );
  return connection;
}

async function ask(url: string, images: number, accept = 'application/json') {
  const answer = await fetch(`${url}/v1/embed`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: accept },
    body: JSON.stringify({ ...OPTIONS, images: Array(images).fill('AQ==') }),
  });
  return { status: answer.status, text: await answer.text() };
}

describe('the bytes of answers', () => {
  it('are held until they have left, together at most MAX_INFLIGHT_BYTES', async () => {
    // More than the two ends of a connection buffer, for each of three readers.
    const { port, url, bodies } = await start({ MAX_INFLIGHT_BYTES: '60000000' });
    const stalled = [];
    for (let reader = 1; reader <= 3; reader++) {
      stalled.push(await askAndStall(port, 16));
      await expect.poll(() => bodies.taken, { interval: 5 }).toBeGreaterThan(reader * 16_000_000);
    }
    expect(await metric(url, 'face_inflight_body_bytes')).toBe(bodies.taken);
    const refused = await ask(url, 16);
    const { results } = JSON.parse(refused.text);
    expect(results.filter((result: object) => 'error_code' in result).length).toBeGreaterThan(5);
    expect(results.at(-1)).toMatchObject({
      index: 15,
      error_code: 'OVERLOADED',
      request_id: expect.any(String),
    });
    // Small answers need no room.
    expect((await fetch(`${url}/v1/health`)).status).toBe(200);
    stalled[0]?.close();
    await expect.poll(() => bodies.taken, { interval: 5 }).toBeLessThan(40_000_000);
    const complete = await ask(url, 16);
    expect(complete.text).not.toContain('OVERLOADED');
    for (const connection of stalled) connection.close();
    await expect.poll(() => bodies.taken, { interval: 5 }).toBe(0);
  });

  it('refuse an answer to one image that does not fit', async () => {
    const { url, bodies } = await start({ MAX_INFLIGHT_BYTES: '300000' });
    const answer = await fetch(`${url}/v1/embed?faces=all`, {
      method: 'POST',
      headers: { 'Content-Type': 'image/png' },
      body: new Uint8Array([1]),
    });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(await answer.json()).toMatchObject({ error_code: 'OVERLOADED' });
    expect(await metric(url, 'face_http_rejected_total{reason="inflight_bytes"}')).toBe(1);
    await expect.poll(() => bodies.taken, { interval: 5 }).toBe(0);
  });

  it('refuse a comparison whose answer does not fit, and count one that does', async () => {
    const references = Array.from({ length: 2000 }, (_, i) => ({
      id: `${i}-${'x'.repeat(90)}`,
      embedding: [1, i],
    }));
    const body = JSON.stringify({ query_embedding: [1, 0], reference_embeddings: references });
    const compare = async (url: string) => {
      const headers = { 'Content-Type': 'application/json' };
      const answer = await fetch(`${url}/v1/compare`, { method: 'POST', headers, body });
      return { status: answer.status, length: (await answer.text()).length };
    };
    const { url } = await start({});
    const { status, length } = await compare(url);
    expect(status).toBe(200);
    expect(length).toBeGreaterThan(body.length);
    // The body has been read when the answer is there: only the larger of the two needs room.
    for (const [room, expected] of [
      [length, 200],
      [length - 1, 503],
    ] as const) {
      const narrow = await start({ MAX_INFLIGHT_BYTES: String(room) });
      expect((await compare(narrow.url)).status).toBe(expected);
      await expect.poll(() => narrow.bodies.taken, { interval: 5 }).toBe(0);
    }
  });

  it('of lines are held only while they wait', async () => {
    const { port, url, bodies } = await start({ MAX_INFLIGHT_BYTES: '8000000' });
    const { text } = await ask(url, 40, 'application/x-ndjson');
    // The reader keeps pace, or is told which lines it has lost.
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(41);
    expect(lines.at(-1)).toMatchObject({ done: true });
    await expect.poll(() => bodies.taken, { interval: 5 }).toBe(0);
    const stalled = await askAndStall(port, 40, ACCEPT_LINES);
    await expect.poll(() => bodies.taken, { interval: 5 }).toBeGreaterThan(1_000_000);
    stalled.socket.resume();
    await expect.poll(() => stalled.received, { interval: 5 }).toContain('"done":true');
    expect(stalled.received).toContain('"error_code":"OVERLOADED"');
    await expect.poll(() => bodies.taken, { interval: 5 }).toBe(0);
  });
});

describe('a client that reads its answer slowly', () => {
  it.each([
    ['one JSON text', ''],
    ['lines', ACCEPT_LINES],
  ])('is disconnected after ANSWER_TIMEOUT_MS, though it goes on reading: %s', async (_name, accept) => {
    const { port, bodies } = await start({ ANSWER_TIMEOUT_MS: '1500', BODY_TIMEOUT_MS: AN_HOUR });
    const connection = await askAndStall(port, 32, accept);
    await expect.poll(() => bodies.taken, { interval: 5 }).toBeGreaterThan(10_000_000);
    while (!connection.socket.closed && bodies.taken > 0) {
      connection.socket.read(1);
      await sleep(50);
    }
    connection.socket.resume();
    expect(await connection.untilClosed()).not.toContain('"model"');
    expect(bodies.taken).toBe(0);
  });
});

describe('many requests that are sent before any answer is read', () => {
  const REQUEST =
    'POST /v1/embed HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 1\r\n\r\nx';

  it('are handled one at a time', async () => {
    const engine = new HeldEngine(100);
    const service = await listenWith(testConfig(), engine);
    ending.push(service.close);
    const connection = new RawConnection(service.port);
    ending.push(() => connection.close());
    await connection.write(REQUEST.repeat(20));
    for (let done = 0; done < 20; done++) {
      await expect.poll(() => engine.held.length, { interval: 5 }).toBe(1);
      expect(engine.places.taken).toBe(1);
      engine.finish();
      await expect.poll(() => statuses(connection.received).length, { interval: 5 }).toBe(done + 1);
    }
  });

  it('are too many at some time, and the connection is closed', async () => {
    const engine = new HeldEngine(100);
    const service = await listenWith(testConfig(), engine);
    ending.push(service.close);
    const connection = new RawConnection(service.port);
    await connection.write(REQUEST.repeat(200));
    expect(await connection.untilClosed()).toBe('');
    engine.finish();
    await expect.poll(() => engine.places.taken, { interval: 5 }).toBe(0);
  });
});
