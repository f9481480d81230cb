import { join } from 'node:path';
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
} from '../support/packs/published-pack.ts';
import { TINY } from '../support/packs/tiny-packs.ts';
import { endChild, runProgram } from '../support/processes/child-process.ts';
import { ROOT } from '../support/shared.ts';
import { filesIn } from '../support/temporary-folder.ts';

const TIMING = { ...TUNING, heartbeatMs: 50, staleMs: 500 };

/** Child processes run the compiled file, because not every supported version of Node runs TypeScript. */
const OBTAIN = pathToFileURL(join(ROOT, 'dist/packs/download/obtain-pack.js')).href;

const PROGRAM = `
  const { name, modelsDir, baseUrl, pack, tuning } = JSON.parse(process.argv[1]);
  const { obtainPack } = await import(${JSON.stringify(OBTAIN)});
  const log = { info() {}, warn() {} };
  const found = await obtainPack(
    { name, modelsDir, baseUrl, autoDownload: true, log, tuning, catalogue: new Map([[name, pack]]) });
  console.log(found.recogniser.sha256);
`;

beforeEach(withoutProxies);

/** A process that needs the pack, like another replica of the service. */
function startReplica({ server, tiny, modelsDir }: PublishedPack) {
  const options = { name: TINY, modelsDir, baseUrl: `${server.url}/mirror`, pack: tiny.pack, tuning: TIMING };
  const { child, ended } = runProgram(['--input-type=module', '-e', PROGRAM, JSON.stringify(options)]);
  onTestFinished(() => endChild(child));
  return { child, output: ended.then(({ stdout, stderr }) => stdout.trim() + stderr) };
}

describe('replicas that share a volume', () => {
  it('download the pack once', async () => {
    const published = await publishPack((_, __, content) => ({ content, pauseMs: 5 }));
    const replicas = Array.from({ length: 3 }, () => startReplica(published));
    const outputs = await Promise.all(replicas.map(({ output }) => output));
    expect(outputs).toEqual(Array(3).fill(published.tiny.pack.recogniser.sha256));
    expect(published.server.requests).toHaveLength(1);
    expect(await filesIn(published.modelsDir)).toEqual(INSTALLED);
  });

  it('continue the download of a replica that was killed', async () => {
    const published = await publishPack((_, index, content) => ({
      content,
      etag: '"one"',
      ...(index === 0 && { pauseMs: 20 }),
    }));
    const { modelsDir, server, obtain } = published;
    const killed = startReplica(published);
    const partial = join(modelsDir, '.tiny.zip.partial');
    await vi.waitUntil(async () => (await sizeOf(partial)) > 10_000, { timeout: 60_000 });
    killed.child.kill('SIGKILL');
    await killed.output;
    expect(await filesIn(modelsDir)).toContain('.tiny.lock');
    const bytes = await sizeOf(partial);
    await obtain({ baseUrl: `${server.url}/mirror`, tuning: TIMING });
    expect(rangesOf(server)).toEqual([undefined, `bytes=${bytes}-`]);
    expect(await filesIn(modelsDir)).toEqual(INSTALLED);
  });
});
