import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { PackUnavailableError } from '../../src/packs/pack-errors.ts';
import { publishPack, withoutProxies } from '../support/published-pack.ts';

const CREDENTIALS = 'operator:s3cret';

beforeEach(withoutProxies);

/** A forward proxy that refuses tunnels, and demands the password where it is told to. */
async function startProxy({ refuse = false } = {}) {
  const seen: string[] = [];
  const note = ({ method, url, headers }: IncomingMessage) =>
    seen.push(`${method} ${url} ${headers['proxy-authorization']}`);
  const proxy = createServer((request, response) => {
    note(request);
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
    note(request);
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return { url: `http://${CREDENTIALS}@127.0.0.1:${(proxy.address() as AddressInfo).port}`, seen };
}

const basic = `Basic ${Buffer.from(CREDENTIALS).toString('base64')}`;

describe('the proxy variables', () => {
  it('name who is asked for http', async () => {
    const proxy = await startProxy();
    vi.stubEnv('http_proxy', proxy.url);
    const { obtain, server } = await publishPack((_, __, content) => ({ content }));
    await obtain();
    expect(proxy.seen).toEqual([`GET ${server.url}/first/tiny.zip ${basic}`]);
  });

  it('name who tunnels https', async () => {
    const proxy = await startProxy();
    vi.stubEnv('https_proxy', proxy.url);
    const { obtain } = await publishPack(() => ({}));
    await expect(obtain({ baseUrl: 'https://mirror.invalid' })).rejects.toThrow(/cannot be reached/);
    expect(proxy.seen[0]).toBe(`CONNECT mirror.invalid:443 ${basic}`);
  });

  it('name hosts that are asked directly', async () => {
    const proxy = await startProxy();
    vi.stubEnv('http_proxy', proxy.url);
    vi.stubEnv('no_proxy', 'localhost,127.0.0.1');
    const { obtain } = await publishPack((_, __, content) => ({ content }));
    await obtain();
    expect(proxy.seen).toEqual([]);
  });

  it('are never repeated in a message', async () => {
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
