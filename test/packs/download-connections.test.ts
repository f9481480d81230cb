import type { Socket } from 'node:net';
import { beforeEach, describe, expect, it } from 'vitest';
import { PackUnavailableError } from '../../src/packs/pack-errors.ts';
import { type RawAnswer, startRawServer, writeForever } from '../support/http/raw-server.ts';
import {
  IMPATIENT,
  INSTALLED,
  publishPack,
  TUNING,
  withoutProxies,
} from '../support/packs/published-pack.ts';
import { tinyPack } from '../support/packs/tiny-packs.ts';
import { filesIn } from '../support/temporary-folder.ts';

beforeEach(withoutProxies);

/** Large enough that bytes wait to be read when the connection ends. */
const tiny = tinyPack({ recogniserBytes: 1_500_000 });
const archive = tiny.archive;
const half = archive.subarray(0, archive.length / 2);

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;
const HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n';

/** What a regular server sends, from the start of the range on. */
function headAndBody(start: number): [head: string, body: Buffer] {
  const length = `Content-Length: ${archive.length - start}\r\nETag: "one"\r\n\r\n`;
  const range = `Content-Range: bytes ${start}-${archive.length - 1}/${archive.length}\r\n`;
  const head = start === 0 ? `${OK}${length}` : `HTTP/1.1 206 Partial Content\r\n${range}${length}`;
  return [head, archive.subarray(start)];
}

function send(socket: Socket, ...parts: (string | Uint8Array)[]): void {
  for (const part of parts) socket.write(part);
}

/** Sends half of what is left, so that something is missing after any number of attempts. */
function sendHalf(socket: Socket, start: number): void {
  const [head, body] = headAndBody(start);
  send(socket, head, body.subarray(0, body.length / 2));
}

/** Downloads from a mirror that gives these answers. */
async function downloadFrom(answer: RawAnswer, tuning = TUNING) {
  const published = await publishPack(() => ({}), tiny);
  const server = await startRawServer(answer);
  const download = published.obtain({ baseUrl: server.url, tuning });
  return { ...published, requests: server.requests, download };
}

const complete: Record<string, RawAnswer> = {
  'closes the connection after the archive': (socket, { start }) => {
    send(socket, ...headAndBody(start));
    socket.end();
  },
  'speaks HTTP/1.0': (socket) => {
    send(socket, `HTTP/1.0 200 OK\r\nContent-Length: ${archive.length}\r\n\r\n`, archive);
    socket.end();
  },
  'speaks HTTP/1.0 and states no length': (socket) => {
    send(socket, 'HTTP/1.0 200 OK\r\n\r\n', archive);
    socket.end();
  },
  'sends early hints first': (socket, { start }) => send(socket, HINTS, HINTS, ...headAndBody(start)),
  'sends other interim responses first': (socket, { start }) =>
    send(socket, 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n', ...headAndBody(start)),
  'sends more than it announced': (socket, { start }) => {
    send(socket, ...headAndBody(start), Buffer.alloc(100_000, 'A'));
    socket.end();
  },
  'redirects with a body that never ends': (socket, { path, start }) => {
    if (path === '/archive') return send(socket, ...headAndBody(start));
    socket.write('HTTP/1.1 302 Found\r\nLocation: /archive\r\n\r\n');
    writeForever(socket, Buffer.alloc(65_536));
  },
};

const broken: Record<string, RawAnswer> = {
  'cuts the archive': (socket, { start }) => {
    sendHalf(socket, start);
    socket.end();
  },
  'resets the connection amid the archive': (socket, { start }) => {
    sendHalf(socket, start);
    // Bytes that have not arrived are lost with the connection.
    setTimeout(() => socket.resetAndDestroy(), 20);
  },
  'cuts the archive, in HTTP/1.0': (socket) => {
    send(socket, `HTTP/1.0 200 OK\r\nContent-Length: ${archive.length}\r\n\r\n`, half);
    socket.end();
  },
  'cuts the archive and stated no length': (socket) => {
    send(socket, 'HTTP/1.0 200 OK\r\n\r\n', half);
    socket.end();
  },
  'cuts a chunk': (socket) => {
    send(socket, `${CHUNKED}${archive.length.toString(16)}\r\n`, half);
    socket.end();
  },
  'sends a malformed chunk': (socket) => send(socket, `${CHUNKED}5\r\nabcde\r\nno size\r\n`),
  'closes the connection after the head': (socket, { start }) => socket.end(headAndBody(start)[0]),
  'closes the connection amid the head': (socket) => socket.end(`${OK}Content-Le`),
  'closes the connection without an answer': (socket) => socket.end(),
  'resets the connection at once': (socket) => socket.resetAndDestroy(),
  'closes the connection after early hints': (socket) => socket.end(HINTS),
  'switches protocols': (socket) =>
    send(socket, 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nabc'),
  'speaks another protocol': (socket) => socket.end('SSH-2.0-OpenSSH_9.9\r\n'),
  'sends two lengths': (socket) => socket.end(`${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde`),
};

const stalling: Record<string, RawAnswer> = {
  'sends no answer': () => {},
  'sends half of what is left and stalls': (socket, { start }) => sendHalf(socket, start),
  'sends early hints without end': (socket) => writeForever(socket, HINTS.repeat(100)),
  'sends its head byte by byte': (socket) => {
    socket.write(OK);
    const timer = setInterval(() => socket.write('X-A: b\r\n'), 30);
    socket.on('close', () => clearInterval(timer));
  },
  'sends the archive byte by byte': (socket, { start }) => {
    socket.write(headAndBody(start)[0]);
    const timer = setInterval(() => socket.write('P'), 30);
    socket.on('close', () => clearInterval(timer));
  },
};

describe('a download from a server that', () => {
  it.each(Object.entries(complete))('%s: succeeds at once', async (_, answer) => {
    const { download, requests, modelsDir } = await downloadFrom(answer);
    await download;
    expect(requests.filter(({ path }) => path !== '/archive')).toHaveLength(1);
    expect(await filesIn(modelsDir)).toEqual(INSTALLED);
  });

  it.each(Object.entries(broken))('%s: succeeds at the third attempt', async (_, answer) => {
    const { download, requests, modelsDir } = await downloadFrom((socket, request, index) =>
      index < TUNING.attempts - 1
        ? answer(socket, request, index)
        : send(socket, ...headAndBody(request.start)),
    );
    await download;
    expect(requests).toHaveLength(TUNING.attempts);
    expect(await filesIn(modelsDir)).toEqual(INSTALLED);
  });

  it.each(Object.entries(broken))('%s: fails, and the second source is tried', async (_, answer) => {
    const published = await publishPack(
      ({ path }, _index, content) => (path === '/second' ? { content } : {}),
      tiny,
    );
    const server = await startRawServer(answer);
    const pack = {
      ...published.tiny.pack,
      sources: [`${server.url}/first`, `${published.server.url}/second`].map((url) => ({
        kind: 'archive' as const,
        url,
        bytes: tiny.archive.length,
      })),
    };
    await published.obtain({ catalogue: new Map([[pack.name, pack]]) });
    expect(server.requests).toHaveLength(TUNING.attempts);
    expect(await filesIn(published.modelsDir)).toEqual(INSTALLED);
  });

  it.each(Object.entries(stalling))('%s: is given up', async (_, answer) => {
    const { download, requests } = await downloadFrom(answer, IMPATIENT);
    await expect(download).rejects.toThrow(PackUnavailableError);
    expect(requests).toHaveLength(TUNING.attempts);
  });

  it('answers an error with a body that never ends: reports the error', async () => {
    const { download, requests, modelsDir } = await downloadFrom((socket) => {
      socket.write('HTTP/1.1 404 Not Found\r\n\r\n');
      writeForever(socket, Buffer.alloc(65_536));
    });
    await expect(download).rejects.toThrow(/answered 404/);
    expect(requests).toHaveLength(1);
    expect(await filesIn(modelsDir)).toEqual([]);
  });
});
