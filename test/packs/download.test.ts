import { existsSync, statSync } from 'node:fs';
import { readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { PackInvalidError, PackUnavailableError } from '../../src/packs/pack-errors.ts';
import {
  INSTALLED,
  pathsOf,
  publishPack,
  rangesOf,
  withoutProxies,
} from '../support/packs/published-pack.ts';
import { TINY, tinyPack } from '../support/packs/tiny-packs.ts';
import { zipOf } from '../support/packs/zip.ts';
import { filesIn, writeFiles } from '../support/temporary-folder.ts';

beforeEach(withoutProxies);

describe('obtainPack with a missing pack', () => {
  it('downloads, verifies and installs only the files that are needed', async () => {
    const { obtain, tiny, modelsDir, server, messages } = await publishPack((_, __, content) => ({
      content,
    }));
    const pack = await obtain();
    expect(pack.recogniser).toMatchObject({ sha256: tiny.pack.recogniser.sha256, pinned: true });
    expect(await filesIn(modelsDir)).toEqual(INSTALLED);
    expect(pathsOf(server)).toEqual(['/first/tiny.zip']);
    expect(messages.join('\n')).toMatch(/Downloading tiny from .*\n(.*\n)*.*100 %/);
  });

  it('accepts an archive with a folder named like the pack, sent without a length', async () => {
    const { files } = tinyPack();
    const content = zipOf(
      Object.fromEntries(Object.entries(files).map(([name, bytes]) => [`tiny/${name}`, bytes])),
    );
    const { obtain, modelsDir } = await publishPack(() => ({ content, chunked: true }));
    await obtain();
    expect(await filesIn(modelsDir)).toEqual(INSTALLED);
  });

  it('does not download an installed pack', async () => {
    const { obtain, server } = await publishPack((_, __, content) => ({ content }));
    await obtain();
    await obtain();
    expect(server.requests).toHaveLength(1);
  });

  it('does not download if that is disabled, and says how to get the weights', async () => {
    const { obtain, server } = await publishPack((_, __, content) => ({ content }));
    const failure = obtain({ autoDownload: false });
    await expect(failure).rejects.toThrow(PackUnavailableError);
    for (const instruction of [
      'MODEL_AUTO_DOWNLOAD',
      'install tiny --from',
      'det.onnx and rec.onnx',
      'synthetic',
    ]) {
      await expect(failure).rejects.toThrow(instruction);
    }
    expect(server.requests).toHaveLength(0);
  });

  it('does not overwrite wrong files', async () => {
    const { obtain, server, modelsDir, tiny } = await publishPack((_, __, content) => ({ content }));
    await writeFiles(join(modelsDir, TINY), { ...tiny.files, 'rec.onnx': 'my own' });
    await expect(obtain()).rejects.toThrow(PackInvalidError);
    expect(server.requests).toHaveLength(0);
    expect(await readFile(join(modelsDir, TINY, 'rec.onnx'), 'utf8')).toBe('my own');
  });
});

describe('a download with a lost connection', () => {
  it('requests only the rest of the archive', async () => {
    const { obtain, server } = await publishPack((_, index, content) => ({
      content,
      etag: '"one"',
      ...(index < 2 && { cutAfter: 30_000 }),
    }));
    await obtain();
    expect(rangesOf(server)).toEqual([undefined, 'bytes=30000-', 'bytes=60000-']);
    expect(server.requests[1]?.headers['if-range']).toBe('"one"');
  });

  it('is continued by the next call after too many failures', async () => {
    let broken = true;
    const { obtain, server, modelsDir } = await publishPack((_, index, content) => ({
      content,
      lastModified: 'Wed, 21 Oct 2015 07:28:00 GMT',
      ...(broken && { cutAfter: index === 0 ? 50_000 : 1 }),
    }));
    const failure = obtain({ baseUrl: `${server.url}/mirror` });
    await expect(failure).rejects.toThrow(/was lost after 50002 bytes/);
    expect(await filesIn(modelsDir)).toEqual(['.tiny.zip.partial', '.tiny.zip.partial.json']);
    broken = false;
    await obtain({ baseUrl: `${server.url}/mirror` });
    expect(rangesOf(server).at(-1)).toBe('bytes=50002-');
    expect(await filesIn(modelsDir)).toEqual(INSTALLED);
  });

  it('starts over if the server ignores ranges', async () => {
    const { obtain, modelsDir } = await publishPack((_, index, content) => ({
      content,
      ignoreRange: true,
      ...(index === 0 && { cutAfter: 30_000 }),
    }));
    await obtain();
    expect(await filesIn(modelsDir)).toEqual(INSTALLED);
  });

  it.each([
    ['has another ETag', { etag: '"old"' }, { etag: '"new"' }],
    ['has another size', {}, {}],
    ['is too short for the range', {}, { content: zipOf(tinyPack().files).subarray(0, 10) }],
  ])('does not join parts of two archives if the new one %s', async (_, before, after) => {
    const renewed = zipOf(tinyPack().files);
    const { obtain, modelsDir } = await publishPack((__, index, content) => {
      if (index === 0) return { content, cutAfter: 40_000, ...before };
      return index === 1 ? { content: renewed, ...after } : { content: renewed };
    });
    await obtain();
    expect(await filesIn(modelsDir)).toEqual(INSTALLED);
  });

  it('starts over if the parts do not match', async () => {
    const { obtain, server, modelsDir } = await publishPack((_, index, content) =>
      index < 3 ? { content, cutAfter: 10_000 } : { content },
    );
    await expect(obtain({ baseUrl: `${server.url}/x` })).rejects.toThrow(PackUnavailableError);
    // After a power failure, a file may have the right length but no content.
    await writeFile(join(modelsDir, '.tiny.zip.partial'), Buffer.alloc(30_000));
    await obtain({ baseUrl: `${server.url}/x` });
    expect(rangesOf(server).slice(-2)).toEqual(['bytes=30000-', undefined]);
    expect(await filesIn(modelsDir)).toEqual(INSTALLED);
  });
});

describe('an aborted download', () => {
  it('stops at once and is continued by the next call', async () => {
    const controller = new AbortController();
    const { obtain, server, modelsDir } = await publishPack((_, index, content) => ({
      content,
      ...(index === 0 && { pauseMs: 50 }),
    }));
    const running = obtain({ signal: controller.signal });
    const partial = join(modelsDir, '.tiny.zip.partial');
    await expect.poll(() => (existsSync(partial) ? statSync(partial).size : 0)).toBeGreaterThan(5_000);
    controller.abort(new Error('draining'));
    await expect(running).rejects.toThrow('draining');
    expect(await filesIn(modelsDir)).toEqual(['.tiny.zip.partial', '.tiny.zip.partial.json']);
    await obtain();
    expect(Number(/\d+/.exec(rangesOf(server).at(-1) ?? '')?.[0])).toBeGreaterThan(5_000);
  });
});

describe('MODELS_DIR', () => {
  it('is created if it does not exist', async () => {
    const { obtain, modelsDir } = await publishPack((_, __, content) => ({ content }));
    await obtain({ modelsDir: join(modelsDir, 'not', 'yet') });
    expect(await readdir(join(modelsDir, 'not', 'yet'))).toEqual([TINY]);
  });

  it('is named with the reason if it cannot be written', async () => {
    const { obtain, modelsDir } = await publishPack((_, __, content) => ({ content }));
    await writeFile(join(modelsDir, 'file'), '');
    const failure = obtain({ modelsDir: join(modelsDir, 'file', 'models') });
    await expect(failure).rejects.toThrow(PackUnavailableError);
    await expect(failure).rejects.toThrow(/file\/models cannot be written.*not a folder \(ENOTDIR\)/);
  });

  it.skipIf(!existsSync('/dev/full'))('has no partial download left if the disk is full', async () => {
    const { obtain, modelsDir } = await publishPack((_, __, content) => ({ content }));
    await symlink('/dev/full', join(modelsDir, '.tiny.zip.partial'));
    await expect(obtain()).rejects.toThrow(/no space is left \(ENOSPC\)/);
    expect(await filesIn(modelsDir)).toEqual([]);
  });
});
