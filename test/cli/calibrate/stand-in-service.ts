import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

/** What it says instead of an embedding. */
export interface Refusal {
  status: number;
  code?: string;
  retryAfter?: number;
}

export interface StandInOptions {
  /** Of each picture, by how many were asked for before; undefined for an embedding. */
  refuse?: (index: number, text: string) => Refusal | undefined;
  /** How long an embedding takes. */
  delayMs?: number;
  space?: (index: number) => string;
  quality?: boolean;
  maxImageSize?: number;
}

const INFO = { name: 'stand-in', embedding_size: 8, licence: 'none', version: '0.0.0' };
const SETTINGS = { detection: 'full', detection_threshold: 0.5, workers: 2 };

/**
 * Speaks as much of the service's HTTP as the calibration uses, and fails as told. A "picture" is text: its first word
 * is the person, from which its embedding follows; every other word moves it a little.
 */
export async function startStandIn({
  refuse = () => undefined,
  delayMs = 0,
  space = () => 'stand-in:1',
  quality = false,
  maxImageSize = 10_000,
}: StandInOptions = {}) {
  const seen: { text: string; at: number; authorization: string | undefined }[] = [];
  const underway = { now: 0, most: 0 };
  const server = createServer(async (request, response) => {
    const answer = (status: number, body: object, headers: Record<string, string> = {}) =>
      response
        .writeHead(status, { 'Content-Type': 'application/json', ...headers })
        .end(JSON.stringify(body));
    if (request.url === '/v1/model-info') {
      const limits = { max_queue: 4, max_image_size: maxImageSize };
      return answer(200, { ...INFO, ...SETTINGS, embedding_space: space(0), synthetic: false, limits });
    }
    if (request.url !== '/v1/embed?faces=largest&encoding_format=base64') return answer(404, {});
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const index =
      seen.push({ text, at: performance.now(), authorization: request.headers.authorization }) - 1;
    underway.most = Math.max(underway.most, ++underway.now);
    await sleep(delayMs);
    underway.now--;
    const refusal = refuse(index, text);
    if (refusal) {
      const headers = refusal.retryAfter === undefined ? {} : { 'Retry-After': String(refusal.retryAfter) };
      return refusal.status === 0
        ? request.socket.destroy()
        : answer(
            refusal.status,
            { error: 'Refused.', error_code: refusal.code },
            headers as Record<string, string>,
          );
    }
    return answer(200, {
      embedding: embeddingOf(text),
      detection_score: 0.9,
      ...(quality && { quality: { score: text.length / 100 } }),
      model: { embedding_space: space(index) },
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, underway };
}

function embeddingOf(text: string): string {
  const numbers = (seed: string) => Array.from(createHash('sha256').update(seed).digest().subarray(0, 8));
  const [person = ''] = text.split(' ');
  const own = numbers(text);
  const values = numbers(person).map((value, i) => value - 127.5 + 0.2 * ((own[i] as number) - 127.5));
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeFloatLE(value, 4 * i);
  return bytes.toString('base64');
}
