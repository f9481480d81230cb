import { Pool } from 'undici';

/** More than any measurement opens. */
const MOST_CONNECTIONS = 512;

const pools = new Map();

/**
 * Connections are kept from one measurement to the next, as callers with a pool keep theirs. Undici's dispatch and not
 * node:http, which takes twice the time for a request: what the generator takes of the cores, who is measured does not get.
 */
function poolOf(address) {
  if (!pools.has(address)) {
    if (new URL(address).hostname !== '127.0.0.1') throw new Error('Only this machine is put under load.');
    // Who is measured may take as long as it likes.
    pools.set(
      address,
      new Pool(address, { connections: MOST_CONNECTIONS, headersTimeout: 0, bodyTimeout: 0 }),
    );
  }
  return pools.get(address);
}

/** Posts a body and reads the answer to its end. Never rejects: {status, code, text}, status 0 without an answer. */
export function post(address, path, { headers, body }, { keepText = false } = {}) {
  return new Promise((resolve) => {
    let status = 0;
    const chunks = [];
    poolOf(address).dispatch(
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
        onResponseError(_controller, error) {
          resolve({ status: 0, code: error.code ?? error.message });
        },
      },
    );
  });
}

function errorCode(text) {
  try {
    return String(JSON.parse(text).error_code ?? '');
  } catch {
    return '';
  }
}
