import { Agent, request } from 'node:http';

const agents = new Map();

/** Connections are kept from one measurement to the next, as callers with a pool keep theirs. */
function agentOf(address) {
  if (!agents.has(address)) agents.set(address, new Agent({ keepAlive: true, maxSockets: 512 }));
  return agents.get(address);
}

/** Posts a body and reads the answer to its end. Never rejects: {status, code, text}, status 0 without an answer. */
export function post(address, path, { headers, body }, { keepText = false } = {}) {
  const url = new URL(path, address);
  if (url.hostname !== '127.0.0.1') throw new Error('Only this machine is put under load.');
  return new Promise((resolve) => {
    const broken = (error) => resolve({ status: 0, code: error.code ?? error.message });
    const call = request(
      url,
      { method: 'POST', agent: agentOf(address), headers: { ...headers, 'Content-Length': body.length } },
      (response) => {
        const { statusCode: status } = response;
        const chunks = [];
        response.on('data', (chunk) => {
          if (keepText || status !== 200) chunks.push(chunk);
        });
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve(status === 200 ? { status, text } : { status, code: errorCode(text) });
        });
        response.on('error', broken);
      },
    );
    call.on('error', broken);
    call.end(body);
  });
}

function errorCode(text) {
  try {
    return String(JSON.parse(text).error_code ?? '');
  } catch {
    return '';
  }
}
