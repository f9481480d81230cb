import { beforeEach, describe, expect, it } from 'vitest';
import type { Answer } from '../support/packs/file-server.ts';
import {
  IMPATIENT,
  INSTALLED,
  pathsOf,
  publishPack,
  rangesOf,
  withoutProxies,
} from '../support/packs/published-pack.ts';
import { bytesOf, tinyPack } from '../support/packs/tiny-packs.ts';
import { filesIn } from '../support/temporary-folder.ts';

beforeEach(withoutProxies);

describe('a pack of single files', () => {
  const publishFiles = (answer: (path: string, index: number) => Answer | undefined) => {
    const tiny = tinyPack();
    return publishPack(
      ({ path }, index) =>
        answer(path, index) ?? { content: tiny.files[path.split('/').at(-1) ?? ''] ?? Buffer.alloc(0) },
      tiny,
      (url) => [
        {
          kind: 'files',
          urls: {
            'det.onnx': [`${url}/a/det.onnx`, `${url}/b/det.onnx`],
            'rec.onnx': [`${url}/a/rec.onnx`, `${url}/b/rec.onnx`],
          },
        },
      ],
    );
  };

  it('is downloaded one by one', async () => {
    const { obtain, modelsDir, server, messages } = await publishFiles(() => undefined);
    const pack = await obtain();
    expect(pack.detector.pinned).toBe(true);
    expect(await filesIn(modelsDir)).toEqual(INSTALLED);
    expect(pathsOf(server)).toEqual(['/a/det.onnx', '/a/rec.onnx']);
    expect(messages.join('\n')).toMatch(/100 %/);
  });

  it.each([
    ['is gone', { status: 404 }],
    ['is another one', { content: bytesOf('another', 20_000) }],
    ['is too large', { content: bytesOf('detector', 20_001) }],
  ])('takes the next URL of a file that %s', async (_, answer) => {
    const { obtain, modelsDir, server } = await publishFiles((path) =>
      path === '/a/det.onnx' ? answer : undefined,
    );
    await obtain();
    expect(pathsOf(server)).toEqual(['/a/det.onnx', '/b/det.onnx', '/a/rec.onnx']);
    expect(await filesIn(modelsDir)).toEqual(INSTALLED);
  });

  it('keeps complete files and parts for the next attempt', async () => {
    let broken = true;
    const { obtain, modelsDir, server } = await publishFiles((path) => {
      if (!broken || !path.endsWith('rec.onnx')) return undefined;
      return path.startsWith('/a')
        ? { content: tinyPack().files['rec.onnx'] as Buffer, stallAfter: 0 }
        : { status: 404 };
    });
    await expect(obtain({ tuning: { ...IMPATIENT, attempts: 1 } })).rejects.toThrow(
      /no answer within 0\.5 s.*answered 404/,
    );
    expect(await filesIn(modelsDir)).toHaveLength(2);
    broken = false;
    await obtain();
    expect(pathsOf(server).filter((path) => path.endsWith('det.onnx'))).toEqual(['/a/det.onnx']);
    expect(rangesOf(server).at(-1)).toBeUndefined();
    expect(await filesIn(modelsDir)).toEqual(INSTALLED);
  });

  it('names every URL that failed', async () => {
    const { obtain, modelsDir } = await publishFiles(() => ({ status: 404 }));
    const failure = obtain();
    await expect(failure).rejects.toThrow(/\/a\/det\.onnx answered 404.*\/b\/det\.onnx answered 404/);
    await expect(failure).rejects.toThrow(/MODEL_NAME=lite/);
    expect(await filesIn(modelsDir)).toEqual([]);
  });
});
