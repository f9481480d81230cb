import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  INSTALLED,
  type PublishedPack,
  publishPack,
  rangesOf,
  sizeOf,
  TUNING,
  withoutProxies,
} from '../support/published-pack.ts';
import { filesIn } from '../support/temporary-folder.ts';
import { TINY } from '../support/tiny-packs.ts';

const TIMING = { ...TUNING, idleTimeoutMs: 5_000, heartbeatMs: 50, staleMs: 500 };

/** Processes run what is built: not every supported Node runs TypeScript. */
const OBTAIN = pathToFileURL(resolve(import.meta.dirname, '../../src/packs/obtain.ts')).href;

const PROGRAM = `
  const { name, modelsDir, baseUrl, pack, tuning } = JSON.parse(process.argv[1]);
  const { obtainPack } = await import(${JSON.stringify(OBTAIN)});
  const log = { info() {}, warn() {} };
  const found = await obtainPack(
    { name, modelsDir, baseUrl, autoDownload: true, log, tuning, catalogue: new Map([[name, pack]]) });
  console.log(found.recogniser.sha256);
`;

beforeEach(withoutProxies);

/** Another replica of the service that wants the pack. */
function startReplica({ server, tiny, modelsDir }: PublishedPack) {
  const options = { name: TINY, modelsDir, baseUrl: `${server.url}/mirror`, pack: tiny.pack, tuning: TIMING };
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return { child, answer: answerOf(child) };
}

async function answerOf(child: ChildProcess): Promise<string> {
  let text = '';
  child.stdout?.on('data', (chunk) => {
    text += chunk;
  });
  await once(child, 'close');
  return text.trim();
}

describe('replicas that start on one volume', () => {
  it('download the pack once, and all have it', async () => {
    const published = await publishPack((_, __, content) => ({ content, pauseMs: 5 }));
    const replicas = Array.from({ length: 3 }, () => startReplica(published));
    const answers = await Promise.all(replicas.map(({ answer }) => answer));
    expect(answers).toEqual(Array(3).fill(published.tiny.pack.recogniser.sha256));
    expect(published.server.requests).toHaveLength(1);
    expect(await filesIn(published.modelsDir)).toEqual(INSTALLED);
  });

  it('go on with the download of one that was killed', async () => {
    const published = await publishPack((_, index, content) => ({
      content,
      etag: '"one"',
      ...(index === 0 && { pauseMs: 20 }),
    }));
    const { modelsDir, server, obtain } = published;
    const killed = startReplica(published);
    const partial = join(modelsDir, '.tiny.zip.partial');
    await vi.waitUntil(async () => (await sizeOf(partial)) > 10_000, { timeout: 10_000 });
    killed.child.kill('SIGKILL');
    await killed.answer;
    expect(await filesIn(modelsDir)).toContain('.tiny.lock');
    const bytes = await sizeOf(partial);
    await obtain({ baseUrl: `${server.url}/mirror`, tuning: TIMING });
    expect(rangesOf(server)).toEqual([undefined, `bytes=${bytes}-`]);
    expect(await filesIn(modelsDir)).toEqual(INSTALLED);
  });
});
