import { afterAll, beforeAll, expect } from 'vitest';
import type { InferenceEngine } from '../../../src/engine/inference-engine.ts';
import { startEngine, testConfig } from '../../support/engine/engines.ts';
import { type Answer, answerOf } from '../../support/http/answer.ts';
import { assembleApp } from '../../support/http/app.ts';

export const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

/** A field, a file, or several files of one name. */
type FormPart = string | Uint8Array<ArrayBuffer> | Uint8Array<ArrayBuffer>[];

/**
 * Runs the real engine with the synthetic pack for the tests of a file: only the weights differ from production.
 *
 * @returns requests to `/v1/embed` in each transport. The engine is there from the first test on.
 */
export function useEmbedRoute(environment: Record<string, string> = {}) {
  const config = testConfig(environment);
  const service = {} as { engine: InferenceEngine; app: ReturnType<typeof assembleApp>['app'] };
  let close: () => Promise<unknown>;
  beforeAll(async () => {
    const engine = await startEngine(config);
    const { app, json } = assembleApp(config, engine);
    Object.assign(service, { engine, app });
    close = () => Promise.all([engine.close(), json.close()]);
  });
  afterAll(() => close?.());

  async function send(init: RequestInit, query = ''): Promise<Answer> {
    return answerOf(await service.app.request(`/v1/embed${query}`, { method: 'POST', ...init }));
  }

  return {
    service,
    send,
    /** @param body a string is sent as it is, anything else as JSON. */
    sendJson: (body: unknown, headers: Record<string, string> = {}, query = '') =>
      send(
        {
          headers: { 'Content-Type': 'application/json', ...headers },
          body: typeof body === 'string' ? body : JSON.stringify(body),
        },
        query,
      ),
    sendRaw: (bytes: Uint8Array<ArrayBuffer>, query = '', type = 'image/png') =>
      send({ headers: { 'Content-Type': type }, body: bytes }, query),
    /** @param parts in this order. */
    sendForm(parts: Record<string, FormPart>, query = '') {
      const form = new FormData();
      for (const [name, part] of Object.entries(parts)) {
        if (typeof part === 'string') form.append(name, part);
        else for (const file of [part].flat()) form.append(name, new Blob([file]));
      }
      return send({ body: form }, query);
    },
  };
}

/** Checks that an error has its whole shape. @param detail what its detail matches. */
export function expectRefusal(answer: Answer, status: number, code: string, detail = /./): void {
  expect(answer.body).toEqual({
    error: expect.any(String),
    error_code: code,
    detail: expect.stringMatching(detail),
    request_id: answer.headers.get('x-request-id'),
  });
  expect(answer.status).toBe(status);
}
