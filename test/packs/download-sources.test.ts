import { beforeEach, describe, expect, it } from 'vitest';
import { PackUnavailableError } from '../../src/packs/pack-errors.ts';
import {
  IMPATIENT,
  INSTALLED,
  pathsOf,
  publishPack,
  rangesOf,
  TUNING,
  withoutProxies,
} from '../support/packs/published-pack.ts';
import { bytesOf, sha256, tinyPack } from '../support/packs/tiny-packs.ts';
import { zipOf } from '../support/packs/zip.ts';
import { filesIn } from '../support/temporary-folder.ts';

beforeEach(withoutProxies);

describe('a failing source', () => {
  it.each([401, 403, 404, 410])('with status %i is not retried, but the second is tried', async (status) => {
    const { obtain, server, messages } = await publishPack(({ path }, _, content) =>
      path.startsWith('/first') ? { status } : { content },
    );
    await obtain();
    expect(pathsOf(server)).toEqual(['/first/tiny.zip', '/second/tiny.zip']);
    expect(messages.join('\n')).toContain(`answered ${status}`);
  });

  it.each([500, 503, 429])('with status %i is retried', async (status) => {
    const { obtain, server } = await publishPack((_, index, content) =>
      index < 2 ? { status } : { content },
    );
    await obtain();
    expect(pathsOf(server)).toEqual(Array(3).fill('/first/tiny.zip'));
  });

  it('is retried a limited number of times', async () => {
    const { obtain, server, modelsDir } = await publishPack(() => ({ status: 500 }));
    await expect(obtain()).rejects.toThrow(/first\/tiny\.zip answered 500.*second\/tiny\.zip answered 500/);
    expect(server.requests).toHaveLength(2 * TUNING.attempts);
    expect(await filesIn(modelsDir)).toEqual([]);
  });

  it.each([0, 30_000])('that stalls after %i bytes is retried after a timeout', async (stallAfter) => {
    const { obtain, server } = await publishPack((_, index, content) => ({
      content,
      ...(index === 0 && { stallAfter }),
    }));
    await obtain({ tuning: IMPATIENT });
    expect(rangesOf(server)).toEqual([undefined, stallAfter === 0 ? undefined : 'bytes=30000-']);
  });

  it('that refuses connections is named in the error', async () => {
    const { obtain, server } = await publishPack(() => ({}));
    await server.close();
    await expect(obtain()).rejects.toThrow(/cannot be reached .*ECONNREFUSED/);
    server.close = async () => {};
  });

  it('with other content is abandoned for the second, and nothing of it is installed', async () => {
    const wrong = zipOf({ ...tinyPack().files, 'rec.onnx': bytesOf('corrupted', 60_000) });
    const { obtain, server, modelsDir, messages, tiny } = await publishPack(({ path }, _, content) => ({
      content: path.startsWith('/first') ? wrong : content,
    }));
    await obtain();
    expect(pathsOf(server)).toEqual(['/first/tiny.zip', '/second/tiny.zip']);
    expect(await filesIn(modelsDir)).toEqual(INSTALLED);
    expect(messages.join('\n')).toContain(
      `SHA-256 ${sha256(bytesOf('corrupted', 60_000))}, expected is ${tiny.pack.recogniser.sha256}`,
    );
  });

  it.each([
    ['is not a zip', 'an HTML page', /not a readable zip/],
    ['lacks a file', zipOf({ 'det.onnx': tinyPack().files['det.onnx'] ?? Buffer.of() }), /has no rec\.onnx/],
    ['is corrupted', tinyPack().archive.fill(7, 30_000, 30_100), /rec|det/],
    [
      'has a file that is far too large',
      zipOf({ ...tinyPack().files, 'rec.onnx': Buffer.alloc(200_000) }),
      /200000 bytes/,
    ],
    [
      'has files with paths outside of the folder',
      zipOf({ '../det.onnx': Buffer.of(1) }),
      /not a readable zip.*\.\./,
    ],
  ])('with an archive that %s leaves nothing behind', async (_, archive, reason) => {
    const { obtain, modelsDir } = await publishPack(() => ({ content: Buffer.from(archive) }));
    const failure = obtain();
    await expect(failure).rejects.toThrow(PackUnavailableError);
    await expect(failure).rejects.toThrow(reason);
    expect(await filesIn(modelsDir)).toEqual([]);
  });

  it.each([true, false])('that sends far too much is aborted (without a length: %s)', async (chunked) => {
    const { obtain, modelsDir } = await publishPack(() => ({ content: Buffer.alloc(3_000_000), chunked }));
    await expect(obtain()).rejects.toThrow(/larger than the maximum of \d+ bytes/);
    expect(await filesIn(modelsDir)).toEqual([]);
  });
});

describe('redirects', () => {
  it('are followed, also if they are relative', async () => {
    const { obtain, server } = await publishPack(({ path }, _, content) => {
      if (path === '/first/tiny.zip') return { status: 302, location: '/hop' };
      return path === '/hop' ? { status: 307, location: `${server.url}/store?token=1` } : { content };
    });
    await obtain();
    expect(pathsOf(server)).toEqual(['/first/tiny.zip', '/hop', '/store?token=1']);
  });

  it('are not followed in a loop or to another protocol', async () => {
    const { obtain, server } = await publishPack(({ path }) => ({
      status: 301,
      location: path.startsWith('/second') ? 'file:///etc/passwd' : '/first/tiny.zip',
    }));
    await expect(obtain()).rejects.toThrow(/redirects more than 5 times.*other than an http\(s\) URL/);
    expect(server.requests).toHaveLength(7);
  });

  it('do not send the password of a mirror to another host', async () => {
    const other = await publishPack((_, __, content) => ({ content }));
    const { obtain, server, messages } = await publishPack(() => ({
      status: 302,
      location: `${other.server.url}/tiny.zip`,
    }));
    await obtain({ baseUrl: `${server.url.replace('//', '//user:s3cret@')}/packs/?sig=t0ken` });
    expect(pathsOf(server)).toEqual(['/packs/tiny.zip?sig=t0ken']);
    expect(server.requests[0]?.headers.authorization).toBe(
      `Basic ${Buffer.from('user:s3cret').toString('base64')}`,
    );
    expect(other.server.requests[0]?.headers.authorization).toBeUndefined();
    expect(messages.join('\n')).not.toMatch(/s3cret|t0ken/);
  });
});

describe('a mirror', () => {
  it('is the only source', async () => {
    const { obtain, server } = await publishPack(({ path }, _, content) =>
      path.startsWith('/mirror') ? { status: 404 } : { content },
    );
    await expect(obtain({ baseUrl: `${server.url}/mirror` })).rejects.toThrow(PackUnavailableError);
    expect(pathsOf(server)).toEqual(['/mirror/tiny.zip']);
  });
});
