import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Context } from 'hono';
import type { AppEnvironment } from './context.ts';

const compress = promisify(gzip);

/** Less fits into one packet, compressed or not. */
const MIN_COMPRESSED_BYTES = 1024;

export interface StaticAnswerOptions {
  contentType: string;
  /** By default that of all answers: not stored. */
  cacheControl?: string;
  /** Called with the first request. */
  load: () => string | Promise<string>;
}

interface Made {
  bytes: Uint8Array<ArrayBuffer>;
  etag: string;
  /** The same, compressed, unless it is too short for that. */
  gzip?: { bytes: Uint8Array<ArrayBuffer>; etag: string };
}

/**
 * An answer that stays the same while the process runs. It is made and compressed once, and all requests share its bytes. Only
 * what every caller may see is compressed: the length of such an answer tells nothing.
 */
export class StaticAnswer {
  readonly #options: StaticAnswerOptions;
  #made: Promise<Made> | undefined;

  constructor(options: StaticAnswerOptions) {
    this.#options = options;
  }

  /** Answers 304 to a caller that has it already. */
  async answer(c: Context<AppEnvironment>): Promise<Response> {
    this.#made ??= this.#make();
    const made = await this.#made;
    const { contentType, cacheControl } = this.#options;
    if (made.gzip) c.header('Vary', 'Accept-Encoding', { append: true });
    const isCompressed = made.gzip !== undefined && acceptsGzip(c.req.header('accept-encoding'));
    const { bytes, etag } = isCompressed && made.gzip ? made.gzip : made;
    const headers = { ETag: etag, ...(cacheControl === undefined ? {} : { 'Cache-Control': cacheControl }) };
    if (isKnown(etag, c.req.header('if-none-match'))) return c.body(null, 304, headers);
    return c.body(bytes, 200, {
      ...headers,
      'Content-Type': contentType,
      'Content-Length': String(bytes.length),
      ...(isCompressed ? { 'Content-Encoding': 'gzip' } : {}),
    });
  }

  async #make(): Promise<Made> {
    try {
      const bytes = new TextEncoder().encode(await this.#options.load());
      const hash = createHash('sha256').update(bytes).digest('base64url');
      const etag = `"${hash}"`;
      if (bytes.length < MIN_COMPRESSED_BYTES) return { bytes, etag };
      // On a thread of libuv, since it takes tens of milliseconds.
      const compressed = new Uint8Array(await compress(bytes));
      return { bytes, etag, gzip: { bytes: compressed, etag: `"${hash}-gzip"` } };
    } catch (error) {
      // The next request tries again.
      this.#made = undefined;
      throw error;
    }
  }
}

/** Source: RFC 9110, section 12.5.3. A wildcard is not taken for gzip: browsers name it. */
function acceptsGzip(acceptEncoding = ''): boolean {
  return acceptEncoding
    .split(',')
    .map((one) => one.trim().split(/\s*;\s*q=/i))
    .some(([name, weight = '1']) => name?.toLowerCase() === 'gzip' && Number(weight) > 0);
}

/** Source: RFC 9110, section 13.1.2; a weak comparison. */
function isKnown(etag: string, ifNoneMatch = ''): boolean {
  return ifNoneMatch.split(',').some((one) => [etag, `W/${etag}`, '*'].includes(one.trim()));
}
