import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { PackUnavailableError } from '../../src/packs/pack-errors.ts';
import { publishPack, withoutProxies } from '../support/published-pack.ts';

const CREDENTIALS = 'operator:s3cret';

beforeEach(withoutProxies);

/** A forward proxy that rejects tunnels, and all requests with status 407 if `refuse` is set. */
async function startProxy({ refuse = false } = {}) {
  const requests: string[] = [];
  const record = ({ method, url, headers }: IncomingMessage) =>
    requests.push(`${method} ${url} ${headers['proxy-authorization']}`);
  const proxy = createServer((request, response) => {
    record(request);
    if (refuse) {
      response.writeHead(407).end();
      return;
    }
    get(request.url ?? '', { headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
  });
  proxy.on('connect', (request: IncomingMessage, socket: Socket) => {
    record(request);
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return { url: `http://${CREDENTIALS}@127.0.0.1:${(proxy.address() as AddressInfo).port}`, requests };
}

const basic = `Basic ${Buffer.from(CREDENTIALS).toString('base64')}`;

describe('a download with proxy variables', () => {
  it('sends http requests to http_proxy', async () => {
    const proxy = await startProxy();
    vi.stubEnv('http_proxy', proxy.url);
    const { obtain, server } = await publishPack((_, __, content) => ({ content }));
    await obtain();
    expect(proxy.requests).toEqual([`GET ${server.url}/first/tiny.zip ${basic}`]);
  });

  it('tunnels https requests through https_proxy', async () => {
    const proxy = await startProxy();
    vi.stubEnv('https_proxy', proxy.url);
    const { obtain } = await publishPack(() => ({}));
    await expect(obtain({ baseUrl: 'https://mirror.invalid' })).rejects.toThrow(/cannot be reached/);
    expect(proxy.requests[0]).toBe(`CONNECT mirror.invalid:443 ${basic}`);
  });

  it('connects to the hosts of no_proxy directly', async () => {
    const proxy = await startProxy();
    vi.stubEnv('http_proxy', proxy.url);
    vi.stubEnv('no_proxy', 'localhost,127.0.0.1');
    const { obtain } = await publishPack((_, __, content) => ({ content }));
    await obtain();
    expect(proxy.requests).toEqual([]);
  });

  it('never has the credentials of a proxy in a message', async () => {
    const proxy = await startProxy({ refuse: true });
    const { obtain, messages } = await publishPack((_, __, content) => ({ content }));
    for (const url of [proxy.url, `${CREDENTIALS}@no url`]) {
      vi.stubEnv('http_proxy', url);
      const failure = await obtain().catch((error) => error);
      expect(failure).toBeInstanceOf(PackUnavailableError);
      expect(`${JSON.stringify({ ...failure })} ${failure.stack} ${failure.cause}`).not.toContain('s3cret');
    }
    expect(messages.join('\n')).toMatch(/407/);
    expect(messages.join('\n')).toContain('is not a URL');
    expect(messages.join('\n')).not.toContain('s3cret');
  });
});
