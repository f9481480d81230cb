import { type Agent, type IncomingHttpHeaders, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

interface RequestOptions {
  host?: string;
  port: number;
  path?: string;
  /** Makes it a POST of this image. */
  body?: Buffer;
  headers?: Record<string, string>;
  agent?: Agent;
  signal?: AbortSignal;
}

/** Sends a request with node:http, which unlike fetch never repeats it. */
export function send({ body, headers = {}, ...options }: RequestOptions): Promise<Answer> {
  const contentHeaders = body && {
    'content-type': 'application/octet-stream',
    'content-length': String(body.length),
  };
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host: '127.0.0.1',
      path: '/v1/embed?encoding_format=base64',
      method: body ? 'POST' : 'GET',
      ...options,
      headers: { ...headers, ...contentHeaders },
    });
    outgoing.on('error', reject);
    outgoing.on('response', async (response) => {
      try {
        const text = Buffer.concat(await response.toArray()).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      } catch (error) {
        reject(error);
      }
    });
    outgoing.end(body);
  });
}

/** @throws {Error} when the condition is not true within the limit, in milliseconds. */
export async function waitUntil(
  what: string,
  condition: () => boolean | Promise<boolean>,
  limit = 30_000,
): Promise<void> {
  for (const end = Date.now() + limit; Date.now() < end; await sleep(50)) {
    if (await condition()) return;
  }
  throw new Error(`Not within ${limit} ms: ${what}.`);
}
