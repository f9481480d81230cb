import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import type { AppEnvironment } from './context.ts';

export interface StaticAnswerOptions {
  contentType: string;
  /** By default that of all answers: not stored. */
  cacheControl?: string;
  /** Called with the first request. */
  load: () => string | Promise<string>;
}

/** An answer that stays the same while the process runs. It is made once, and all requests share its bytes. */
export class StaticAnswer {
  readonly #options: StaticAnswerOptions;
  #made: Promise<{ bytes: Uint8Array<ArrayBuffer>; etag: string }> | undefined;

  constructor(options: StaticAnswerOptions) {
    this.#options = options;
  }

  /** Answers 304 to a caller that has it already. */
  async answer(c: Context<AppEnvironment>): Promise<Response> {
    this.#made ??= this.#make();
    const { bytes, etag } = await this.#made;
    const { contentType, cacheControl } = this.#options;
    const headers = { ETag: etag, ...(cacheControl === undefined ? {} : { 'Cache-Control': cacheControl }) };
    if (isKnown(etag, c.req.header('if-none-match'))) return c.body(null, 304, headers);
    return c.body(bytes, 200, {
      ...headers,
      'Content-Type': contentType,
      'Content-Length': String(bytes.length),
    });
  }

  async #make(): Promise<{ bytes: Uint8Array<ArrayBuffer>; etag: string }> {
    try {
      const bytes = new TextEncoder().encode(await this.#options.load());
      return { bytes, etag: `"${createHash('sha256').update(bytes).digest('base64url')}"` };
    } catch (error) {
      // The next request tries again.
      this.#made = undefined;
      throw error;
    }
  }
}

/** Source: RFC 9110, section 13.1.2; a weak comparison. */
function isKnown(etag: string, ifNoneMatch = ''): boolean {
  return ifNoneMatch.split(',').some((one) => [etag, `W/${etag}`, '*'].includes(one.trim()));
}
