import { Pool } from 'undici';

/** More than any measurement opens. */
const MAX_CONNECTIONS = 512;

export interface PostRequest {
  headers: Record<string, string>;
  body: Buffer;
}

export interface Outcome {
  /** 0 when there was no answer. */
  status: number;
  /** The error code of an answer other than 200, or of the broken connection. */
  code?: string;
}

export interface Answer extends Outcome {
  /** The body of an answer with status 200; empty unless it was asked for. */
  text?: string;
}

const pools = new Map<string, Pool>();

/**
 * Connections stay open between measurements, like those of a caller with a connection pool. Undici's dispatch takes half
 * the CPU time of node:http per request; what the load generator uses of the cores is missing to the server it measures.
 */
function poolFor(address: string): Pool {
  const known = pools.get(address);
  if (known !== undefined) return known;
  if (new URL(address).hostname !== '127.0.0.1') throw new Error('Load is sent to 127.0.0.1 only.');
  // No timeouts: the server under test may take any time.
  const pool = new Pool(address, { connections: MAX_CONNECTIONS, headersTimeout: 0, bodyTimeout: 0 });
  pools.set(address, pool);
  return pool;
}

/** Posts a body and reads the answer to its end. Never rejects. */
export function post(
  address: string,
  path: string,
  { headers, body }: PostRequest,
  { keepText = false }: { keepText?: boolean } = {},
): Promise<Answer> {
  return new Promise((resolve) => {
    let status = 0;
    const chunks: Buffer[] = [];
    poolFor(address).dispatch(
      { method: 'POST', path, headers, body },
      {
        onRequestStart() {},
        onResponseStart(_controller, statusCode) {
          status = statusCode;
        },
        onResponseData(_controller, chunk) {
          if (keepText || status !== 200) chunks.push(chunk);
        },
        onResponseEnd() {
          const text = Buffer.concat(chunks).toString();
          resolve(status === 200 ? { status, text } : { status, code: errorCode(text) });
        },
        onResponseError(_controller, error: NodeJS.ErrnoException) {
          resolve({ status: 0, code: error.code ?? error.message });
        },
      },
    );
  });
}

function errorCode(text: string): string {
  try {
    return String(JSON.parse(text).error_code ?? '');
  } catch {
    return '';
  }
}
