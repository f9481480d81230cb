import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

/** An error answer instead of an embedding. */
export interface Refusal {
  /** 0 closes the connection without an answer. */
  status: number;
  code?: string;
  retryAfter?: number;
}

export interface StandInOptions {
  /** Decides on each picture; `index` counts the pictures before. Undefined for an embedding. */
  refuse?: (index: number, text: string) => Refusal | undefined;
  /** Duration of an embedding. */
  delayMs?: number;
  space?: (index: number) => string;
  quality?: boolean;
  maxImageSize?: number;
}

const INFO = { name: 'stand-in', embedding_size: 8, licence: 'none', version: '0.0.0' };
const SETTINGS = { detection: 'full', detection_threshold: 0.5, workers: 2 };

/**
 * Serves the part of the service's HTTP interface that the calibration uses, and fails on request. A "picture" is text:
 * its first word is the person, which determines the embedding; the rest changes it slightly.
 */
export async function startStandIn({
  refuse = () => undefined,
  delayMs = 0,
  space = () => 'stand-in:1',
  quality = false,
  maxImageSize = 10_000,
}: StandInOptions = {}) {
  const requests: { text: string; authorization: string | undefined }[] = [];
  const inProgress = { now: 0, max: 0 };
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
    const index = requests.push({ text, authorization: request.headers.authorization }) - 1;
    inProgress.max = Math.max(inProgress.max, ++inProgress.now);
    await sleep(delayMs);
    inProgress.now--;
    const refusal = refuse(index, text);
    if (refusal) {
      const { status, code, retryAfter } = refusal;
      if (status === 0) return request.socket.destroy();
      const headers = retryAfter === undefined ? undefined : { 'Retry-After': String(retryAfter) };
      return answer(status, { error: 'Refused.', error_code: code }, headers);
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
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, inProgress };
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
