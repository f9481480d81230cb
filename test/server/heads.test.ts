import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RequestRecord } from '../../src/observability/request-record.ts';
import { TinyEngine, testConfig, tinyAdmission, tinyAnswer } from '../support/engine/engines.ts';
import { lastBody, RawConnection, statuses } from '../support/http/raw-connection.ts';
import { listenWith } from '../support/processes/listening.ts';

const config = testConfig({ HEADERS_TIMEOUT_MS: '1500' });
const engine = new TinyEngine({ phase: 'ready' }, () =>
  tinyAdmission({ embed: async (image) => tinyAnswer(image) }),
);
const records: RequestRecord[] = [];

let service: Awaited<ReturnType<typeof listenWith>>;
beforeAll(async () => {
  service = await listenWith(config, engine, { observers: [{ observe: (record) => records.push(record) }] });
});
afterAll(() => service.close());

/** Sends bytes, written as Latin-1; returns what comes back until there are as many answers, or until the server closes. */
async function send(text: string, answers = Number.POSITIVE_INFINITY): Promise<string> {
  const connection = new RawConnection(service.port);
  await connection.write(Buffer.from(text, 'latin1'));
  const { socket } = connection;
  await expect
    .poll(() => socket.closed || statuses(connection.received).length >= answers, { interval: 5 })
    .toBe(true);
  connection.close();
  return connection.received;
}

const GET = 'GET /livez HTTP/1.1\r\n';
const HOST = 'Host: x\r\n';
const POST = `POST /v1/embed HTTP/1.1\r\n${HOST}Content-Type: image/png\r\n`;
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`;
const END = '0\r\n\r\n';
const request = (line: string) => `${line}\r\n${HOST}\r\n`;
const withHeader = (line: string) => `${GET}${HOST}${line}\r\n\r\n`;

describe('a head that is not of HTTP is answered with a 400 in the shape of all errors, and the connection closed', () => {
  it.each([
    ['HTTP/1.1 without Host', `${GET}\r\n`],
    ['two Hosts', `${GET}${HOST}${HOST}\r\n`],
    ['two Hosts that differ', `${GET}${HOST}hOST: y\r\n\r\n`],
    ['two Hosts in HTTP/1.0', `GET /livez HTTP/1.0\r\n${HOST}${HOST}\r\n`],
    ['a second Host behind 2,000 other headers', `${GET}${HOST}${'a:b\r\n'.repeat(2000)}${HOST}\r\n`],
    ['a Host with a space', `${GET}Host: a b@c\r\n\r\n`],
    ['a Host with a path', `${GET}Host: a/b\r\n\r\n`],
    ['a Host with an impossible port', `${GET}Host: a:99999\r\n\r\n`],
    ['two Content-Types', `${POST}Content-Type: application/json\r\nContent-Length: 1\r\n\r\nx`],
    ['HTTP/0.9', 'GET /livez HTTP/0.9\r\n\r\n'],
    ['no version', 'GET /livez\r\n\r\n'],
    ['HTTP/1.2', request('GET /livez HTTP/1.2')],
    ['HTTP/2.0', request('GET /livez HTTP/2.0')],
    ['HTTP/3.0', request('GET /livez HTTP/3.0')],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a version in lower case', request('GET /livez http/1.1')],
    ['gzip before chunked', `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n${END}`],
    ['gzip after chunked', `${POST}Transfer-Encoding: chunked, gzip\r\n\r\n${END}`],
    ['only gzip', `${POST}Transfer-Encoding: gzip\r\n\r\n`],
    ['identity', `${POST}Transfer-Encoding: identity\r\n\r\n`],
    ['an unknown transfer coding', `${POST}Transfer-Encoding: xchunked\r\n\r\n${END}`],
    ['an empty Transfer-Encoding', `${POST}Transfer-Encoding:\r\n\r\n`],
    ['chunked twice in one header', `${POST}Transfer-Encoding: chunked, chunked\r\n\r\n${END}`],
    [
      'chunked in two headers',
      `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n${END}`,
    ],
    ['chunked with a vertical tab', `${POST}Transfer-Encoding: \x0bchunked\r\n\r\n${END}`],
    [
      'chunked in HTTP/1.0',
      `POST /v1/embed HTTP/1.0\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n${END}`,
    ],
    ['chunked with a length', `${POST}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n${END}`],
    ['a length with chunked', `${POST}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n${END}`],
    ['two lengths', `${POST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nx`],
    ['one length twice', `${POST}Content-Length: 1\r\nContent-Length: 1\r\n\r\nx`],
    ['a list of lengths', `${POST}Content-Length: 1, 1\r\n\r\nx`],
    ['a negative length', `${POST}Content-Length: -1\r\n\r\nx`],
    ['a length with a sign', `${POST}Content-Length: +1\r\n\r\nx`],
    ['a hexadecimal length', `${POST}Content-Length: 0x1\r\n\r\nx`],
    ['an empty length', `${POST}Content-Length:\r\n\r\nx`],
    ['a length beyond 64 bits', `${POST}Content-Length: 99999999999999999999999\r\n\r\nx`],
    ['an unknown expectation', `${POST}Expect: 200-ok\r\nContent-Length: 1\r\n\r\nx`],
    ['an expectation beside 100-continue', `${POST}Expect: 100-continue, x\r\nContent-Length: 1\r\n\r\nx`],
    ['100-continue in two headers', `${POST}Expect: 100-continue\r\nExpect: 100-continue\r\n\r\n`],
    ['an empty expectation', `${POST}Expect:\r\nContent-Length: 1\r\n\r\nx`],
    ['a folded header', withHeader('X-A: b\r\n c')],
    ['a space before a colon', `${GET}Host : x\r\n\r\n`],
    ['a header without a colon', withHeader('bad header')],
    ['a header without a name', withHeader(': b')],
    ['a header name with a bracket', withHeader('X(A): b')],
    ['a zero byte in a header', withHeader('X-A: a\0b')],
    ['a bare carriage return in a header', withHeader('X-A: a\rb')],
    ['bare line feeds', 'GET /livez HTTP/1.1\nHost: x\n\n'],
    ['a space before the first header', `${GET} ${HOST}\r\n`],
    ['70 kB of one header', withHeader(`X-A: ${'a'.repeat(70_000)}`)],
    ['a path of 70 kB', request(`GET /${'a'.repeat(70_000)} HTTP/1.1`)],
    ['a space in the path', request('GET /li vez HTTP/1.1')],
    ['a backslash in the path', request('GET /\\..\\livez HTTP/1.1')],
    ['a zero byte in the path', request('GET /\0 HTTP/1.1')],
    ['a path without a slash', request('GET livez HTTP/1.1')],
    ['a URL of FTP', request('GET ftp://y/livez HTTP/1.1')],
    ['a URL that cannot be parsed', request('GET http://[ HTTP/1.1')],
    ['an unknown method', request('FOO /livez HTTP/1.1')],
    ['a method in lower case', request('get /livez HTTP/1.1')],
    ['garbage', 'hello\r\n\r\n'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['half a head, and then nothing', `${GET}Host: x\r\nX-`],
    ['a chunk size that is no number', `${CHUNKED}ZZ\r\nx\r\n${END}`],
    ['a negative chunk size', `${CHUNKED}-1\r\nx\r\n${END}`],
    ['a chunk longer than its size', `${CHUNKED}1\r\nxy\r\n${END}`],
    ['a chunk size beyond 64 bits', `${CHUNKED}FFFFFFFFFFFFFFFFF\r\nx\r\n`],
    ['20 kB after a chunk size', `${CHUNKED}1;${'a'.repeat(20_000)}\r\nx\r\n${END}`],
  ])('%s', async (_name, text) => {
    records.length = 0;
    const received = await send(text);
    expect(statuses(received)).toEqual([400]);
    expect(received).toMatch(/\r\nX-Content-Type-Options: nosniff\r\n/i);
    const body = lastBody(received);
    expect(body).toEqual({
      error: 'The request is malformed.',
      error_code: 'INVALID_REQUEST',
      detail: expect.any(String),
      request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    // Also seen by the log and the metrics, once.
    await expect.poll(() => records.length, { interval: 5 }).toBe(1);
    expect(records[0]).toMatchObject({
      requestId: body.request_id,
      status: 400,
      errorCode: 'INVALID_REQUEST',
    });
  });
});

describe('CONNECT', () => {
  it.each([
    ['as for a tunnel', 'CONNECT y:443 HTTP/1.1\r\nHost: y\r\n\r\n'],
    ['with a path', 'CONNECT /livez HTTP/1.1\r\nHost: y\r\n\r\n'],
    ['with a body', 'CONNECT y:443 HTTP/1.1\r\nHost: y\r\nContent-Length: 5\r\n\r\nhello'],
  ])('%s is a method that is not allowed', async (_name, text) => {
    const received = await send(text);
    expect(statuses(received)).toEqual([405]);
    expect(received).toContain('\r\nAllow: GET, HEAD, POST\r\n');
    expect(lastBody(received)).toMatchObject({ error_code: 'METHOD_NOT_ALLOWED' });
  });
});

describe('an unusual head that is of HTTP is served', () => {
  it.each([
    ['HTTP/1.0 without Host', 'GET /livez HTTP/1.0\r\n\r\n', 200],
    ['HTTP/1.0 that keeps its connection', 'GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', 200],
    ['HTTP/1.0 with a method of its own', 'OPTIONS /livez HTTP/1.0\r\n\r\n', 405],
    [
      'HTTP/1.0 with an expectation',
      'POST /v1/embed HTTP/1.0\r\nContent-Type: image/png\r\nExpect: x\r\nContent-Length: 1\r\n\r\nx',
      200,
    ],
    ['an empty Host', `${GET}Host:\r\n\r\n`, 200],
    ['empty lines before it', `\r\n\r\n${GET}${HOST}\r\n`, 200],
    ['a whole URL', request('GET http://y/livez HTTP/1.1'), 200],
    ['dots in the path', request('GET /v1/../livez HTTP/1.1'), 200],
    ['a path that is not percent-encoding', request('GET /%zz HTTP/1.1'), 404],
    ['a method that HTTP knows', request('QUERY /v1/embed HTTP/1.1'), 405],
    ['TRACE', request('TRACE /livez HTTP/1.1'), 405],
    ['HEAD', request('HEAD /livez HTTP/1.1'), 200],
    ['HEAD of an unknown path', request('HEAD /nowhere HTTP/1.1'), 404],
    ['an upgrade to WebSocket', withHeader('Connection: Upgrade\r\nUpgrade: websocket'), 200],
    ['an upgrade to HTTP/2', withHeader('Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c'), 200],
    ['GET with a body', `${GET}${HOST}Content-Length: 5\r\n\r\nhello`, 200],
    ['GET with chunks', `${GET}${HOST}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n${END}`, 200],
    ['chunked in capitals', `${POST}Transfer-Encoding: CHUNKED\r\n\r\n1\r\nx\r\n${END}`, 200],
    ['extensions of chunks', `${CHUNKED}1;a=b\r\nx\r\n${END}`, 200],
    ['trailers', `${CHUNKED}1\r\nx\r\n0\r\nHost: y\r\nX-A: b\r\n\r\n`, 200],
    ['bytes beyond ASCII in a header', withHeader('X-A: \xff'), 200],
  ])('%s', async (_name, text, status) => {
    expect(statuses(await send(text, 1))).toEqual([status]);
  });
});

describe('several requests at once on one connection', () => {
  it('are answered in order, one after the other', async () => {
    const received = await send(
      `${CHUNKED}1\r\nx\r\n${END}${request('GET /nowhere HTTP/1.1')}${GET}${HOST}\r\n`,
      3,
    );
    expect(statuses(received)).toEqual([200, 404, 200]);
  });

  it.each([
    ['garbage', 'hello\r\n\r\n'],
    ['a head that is not of HTTP', `${GET}\r\n`],
  ])('are answered before %s behind them', async (_name, text) => {
    const received = await send(`${CHUNKED}1\r\nx\r\n${END}${GET}${HOST}\r\n${text}`);
    expect(statuses(received)).toEqual([200, 200, 400]);
    expect(lastBody(received)).toMatchObject({ error_code: 'INVALID_REQUEST' });
  });
});
