import { FaceEmbeddingClient } from 'face-embedding-client';
import type { Hono } from 'hono';
import type { Backend } from '../src/backend.ts';
import type { Database } from '../src/database.ts';
import { createApp } from '../src/server.ts';
import { readSettings } from '../src/settings.ts';

export const TOKENS = { ADMIN_TOKEN: 'the-admin', DOOR_TOKEN: 'the-door' };

type Body = NonNullable<RequestInit['body']>;

/** What the backend answers. */
export interface Answer {
  status: number;
  retryAfter: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: tests say what they expect of it
  body: any;
}

/** The backend in this process, as callers see it. */
export class TestBackend {
  readonly backend: Backend;
  readonly #app: Hono;

  /** @param urls of the service, and of that with the previous model. */
  constructor(database: Database, urls: readonly string[], environment: Record<string, string> = {}) {
    const services = urls.map((url) => new FaceEmbeddingClient({ url, timeoutMs: 60_000 }));
    this.backend = { database, services, settings: readSettings({ ...TOKENS, ...environment }) };
    this.#app = createApp(this.backend);
  }

  async call(method: string, path: string, token?: string, body?: Body): Promise<Answer> {
    const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const response = await this.#app.request(path, {
      method,
      headers,
      ...(body === undefined ? {} : { body, duplex: 'half' }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json');
    return {
      status: response.status,
      retryAfter: response.headers.get('retry-after'),
      body: isJson ? JSON.parse(text) : text,
    };
  }

  admin(method: string, path: string, body?: Body): Promise<Answer> {
    return this.call(method, path, TOKENS.ADMIN_TOKEN, body);
  }

  enrol(
    name: string,
    photographs: readonly Uint8Array<ArrayBuffer>[],
    members: object = {},
  ): Promise<Answer> {
    const form = new FormData();
    for (const [key, value] of Object.entries({ name, consent: '1', recorded_by: 'Reception', ...members }))
      form.append(key, value);
    for (const bytes of photographs) form.append('photograph', new Blob([bytes]), 'photograph');
    return this.admin('POST', '/people', form);
  }

  door(picture: Uint8Array<ArrayBuffer>): Promise<Answer> {
    return this.call('POST', '/door', TOKENS.DOOR_TOKEN, picture);
  }
}
