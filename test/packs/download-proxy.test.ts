import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, get, type IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { proxyFor } from '../../src/packs/download/proxy.ts';
import { PackUnavailableError } from '../../src/packs/pack-errors.ts';
import { IMPATIENT, publishPack, withoutProxies } from '../support/packs/published-pack.ts';
import { tinyPack } from '../support/packs/tiny-packs.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const CREDENTIALS = 'operator:s3cret';

beforeEach(withoutProxies);

type Tunnel = (client: Socket, port: number) => void;

const rejectTunnel: Tunnel = (client) => void client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');

const openTunnel: Tunnel = (client, port) => {
  const server = connect(port, '127.0.0.1');
  client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
  client.pipe(server).pipe(client);
  server.on('error', () => client.destroy());
  client.on('close', () => server.destroy());
};

/** A forward proxy that answers requests with status 407 if `refuse` is set. */
async function startProxy({ refuse = false, tunnel = rejectTunnel } = {}) {
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
    socket.on('error', () => {});
    tunnel(socket, Number(request.url?.split(':')[1]));
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return { url: `http://${CREDENTIALS}@127.0.0.1:${(proxy.address() as AddressInfo).port}`, requests };
}

/** A server for https that sends this archive, with a certificate that nobody trusts. */
async function startTlsServer(archive: Buffer) {
  const folder = await temporaryFolder();
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const options = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=mirror.invalid'];
  spawnSync('openssl', ['req', ...options, '-keyout', key, '-out', certificate]);
  const names: unknown[] = [];
  const server = createTlsServer(
    { key: await readFile(key), cert: await readFile(certificate) },
    ({ socket, headers }, response) => {
      names.push(
        (socket as typeof socket & { servername?: string }).servername,
        headers['proxy-authorization'],
      );
      response.end(archive);
    },
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { authority: `mirror.invalid:${(server.address() as AddressInfo).port}`, names };
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

  it.skipIf(spawnSync('openssl', ['version']).error)('verifies the certificate behind a tunnel', async () => {
    const tiny = tinyPack();
    const [proxy, { authority, names }] = [
      await startProxy({ tunnel: openTunnel }),
      await startTlsServer(tiny.archive),
    ];
    vi.stubEnv('https_proxy', proxy.url);
    const { obtain } = await publishPack(() => ({}), tiny);
    await expect(obtain({ baseUrl: `https://${authority}` })).rejects.toThrow(/self-signed certificate/);
    expect(names).toEqual([]);
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    await obtain({ baseUrl: `https://${authority}` });
    expect(names).toEqual(['mirror.invalid', undefined]);
    expect(new Set(proxy.requests)).toEqual(new Set([`CONNECT ${authority} ${basic}`]));
  });

  it.each<[string, Tunnel, number]>([
    ['refuses a tunnel for good', (client) => client.end('HTTP/1.1 403 Forbidden\r\n\r\n'), 1],
    ['refuses a tunnel', rejectTunnel, IMPATIENT.attempts],
    ['closes a tunnel', (client) => client.end('HTTP/1.1 200 OK\r\n\r\n'), IMPATIENT.attempts],
    ['speaks in place of the server', (client) => client.end('HTTP/1.1 200 OK\r\n\r\n?'), IMPATIENT.attempts],
    ['resets a tunnel', (client) => client.resetAndDestroy(), IMPATIENT.attempts],
    ['never answers', () => {}, IMPATIENT.attempts],
    ['never connects', (client) => client.write('HTTP/1.1 200 OK\r\n\r\n'), IMPATIENT.attempts],
  ])('reports a proxy that %s', async (_, tunnel, attempts) => {
    const proxy = await startProxy({ tunnel });
    vi.stubEnv('https_proxy', proxy.url);
    const { obtain } = await publishPack(() => ({}));
    const tuning = { ...IMPATIENT, connectTimeoutMs: 500 };
    const failure = obtain({ baseUrl: 'https://mirror.invalid', tuning });
    await expect(failure).rejects.toThrow(/mirror\.invalid\/tiny\.zip cannot be reached/);
    expect(proxy.requests).toHaveLength(attempts);
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

describe('the proxy of a URL', () => {
  const PROXIES = { HTTP_PROXY: 'http://a:1', HTTPS_PROXY: 'https://b' };

  it.each<[string, Record<string, string>, string, string | undefined]>([
    ['is that of its protocol', PROXIES, 'https://host/', 'https://b/'],
    ['is named in lower case first', { ...PROXIES, http_proxy: 'http://c' }, 'http://host/', 'http://c/'],
    ['is none if the lower-case name is empty', { ...PROXIES, http_proxy: '' }, 'http://host/', undefined],
    ['is that of http if https has none', { HTTP_PROXY: 'http://a:1' }, 'https://host/', 'http://a:1/'],
    ['may be a host and a port', { HTTP_PROXY: 'host:3128' }, 'http://host/', 'http://host:3128/'],
    ['is none for an excluded host', { ...PROXIES, NO_PROXY: 'x, host' }, 'http://host/', undefined],
    ['is none for its subdomains', { ...PROXIES, NO_PROXY: 'HOST' }, 'http://sub.host/', undefined],
    ['is none for a domain with a dot', { ...PROXIES, NO_PROXY: '.host' }, 'http://sub.host/', undefined],
    ['is none for a domain with a star', { ...PROXIES, NO_PROXY: '*.host' }, 'http://sub.host/', undefined],
    ['is used for similar names', { ...PROXIES, NO_PROXY: 'host' }, 'http://ahost/', 'http://a:1/'],
    ['is none for an excluded port', { ...PROXIES, NO_PROXY: 'host:80' }, 'http://host/', undefined],
    ['is used for other ports', { ...PROXIES, NO_PROXY: 'host:80' }, 'http://host:81/', 'http://a:1/'],
    ['is none for an IPv6 address', { ...PROXIES, NO_PROXY: '[::1]' }, 'http://[::1]:9/', undefined],
    ['is none if all hosts are excluded', { ...PROXIES, NO_PROXY: '*' }, 'http://host/', undefined],
  ])('%s', (_, environment, url, proxy) => {
    expect(proxyFor(new URL(url), environment)?.href).toBe(proxy);
  });

  it('is refused if it speaks another protocol', () => {
    const environment = { HTTP_PROXY: 'socks5://user:s3cret@host' };
    expect(() => proxyFor(new URL('http://host/'), environment)).toThrow(
      /^(?!.*s3cret).*is not a URL with http/,
    );
  });
});
