import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { placeVerifiedFiles } from '../../src/packs/install/place-files.ts';
import {
  INSTALLED,
  type PublishedPack,
  publishPack,
  TUNING,
  withoutProxies,
} from '../support/packs/published-pack.ts';
import { TINY, tinyPack } from '../support/packs/tiny-packs.ts';
import { ROOT } from '../support/shared.ts';
import { filesIn, temporaryFolder, writeFiles } from '../support/temporary-folder.ts';

beforeEach(withoutProxies);

const ID = '01234567-89ab-cdef-0123-456789abcdef';

/** A private mount namespace, whose file systems vanish with its processes. */
const OWN_MOUNTS = ['unshare', '--mount', ...(process.getuid?.() === 0 ? [] : ['--map-root-user'])];
const canMount = spawnSync('env', [...OWN_MOUNTS, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;

const built = (path: string) => JSON.stringify(pathToFileURL(join(ROOT, 'dist/packs', path)).href);

/** Compiled, because not every supported version of Node runs TypeScript. */
const OBTAIN = `
  const { obtainPack } = await import(${built('download/obtain-pack.js')});
  const { pack, ...options } = JSON.parse(process.argv[1]);
  const log = { info() {}, warn() {} };
  await obtainPack({ ...options, autoDownload: true, log, catalogue: new Map([[pack.name, pack]]) }).then(
    (found) => console.log('installed ' + found.recogniser.sha256),
    (error) => console.log(error.name + ' ' + error.message));
`;

function startObtaining(
  { tiny, server, modelsDir }: PublishedPack,
  { wrapper = ['env'], script = OBTAIN } = {},
): { child: ChildProcess; output: Promise<string> } {
  const tuning = { ...TUNING, heartbeatMs: 50, staleMs: 500 };
  const options = { name: TINY, modelsDir, baseUrl: server.url, pack: tiny.pack, tuning };
  const program = [process.execPath, '--input-type=module', '-e', script, JSON.stringify(options)];
  const [command = '', ...args] = [...wrapper, ...program];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, output: outputOf(child) };
}

async function outputOf(child: ChildProcess): Promise<string> {
  let text = '';
  child.stdout?.on('data', (chunk) => {
    text += chunk;
  });
  await once(child, 'close');
  return text.trim();
}

function gate(): { opened: Promise<void>; open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

const large = tinyPack({ recogniserBytes: 2_000_000 });

describe.skipIf(!canMount)('a volume', () => {
  /** Obtains the pack in a file system with these options, and lists what is left there. */
  const obtainIn = async (options: string) => {
    const published = await publishPack((_, __, content) => ({ content }), large);
    const script = 'mount -t tmpfs -o "$0" tmpfs "$1" && shift && "$@"; find "$OLD" -type f';
    const wrapper = [...OWN_MOUNTS, 'env', `OLD=${published.modelsDir}`, 'sh', '-c', script, options];
    const { output } = startObtaining(published, { wrapper: [...wrapper, published.modelsDir] });
    const [first = '', ...rest] = (await output).split('\n');
    const left = rest.filter((line) => line.startsWith(published.modelsDir));
    return {
      first,
      left: left.map((path) => path.slice(published.modelsDir.length + 1)).sort(),
      ...published,
    };
  };

  it.each(['size=1m', 'size=3m'])(
    'that is too small (%s) is refused before the download',
    async (options) => {
      const { first, left } = await obtainIn(options);
      expect(first).toMatch(
        /cannot be written: no space is left for 4\.\d MB, \d\.\d MB are free \(ENOSPC\)/,
      );
      expect(left).toEqual([]);
    },
  );

  it.each(['nr_inodes=3', 'nr_inodes=5'])('that runs full (%s) keeps nothing', async (options) => {
    const { first, left } = await obtainIn(options);
    expect(first).toMatch(/cannot be written: no space is left \(ENOSPC\)/);
    expect(left).toEqual([]);
  });

  it('that is large enough gets the pack', async () => {
    const { first, left } = await obtainIn('size=5m');
    expect(first).toBe(`installed ${large.pack.recogniser.sha256}`);
    expect(left).toEqual(INSTALLED);
  });

  it('that is read-only is not downloaded to', async () => {
    const { first, server } = await obtainIn('ro');
    expect(first).toMatch(/cannot be written: the file system is read-only \(EROFS\)/);
    expect(server.requests).toEqual([]);
  });
});

describe('a process that is killed', () => {
  it('while it installs leaves the archive to the next, which removes the rest', async () => {
    const published = await publishPack((_, __, content) => ({ content }), large);
    const { child, output } = startObtaining(published);
    await vi.waitUntil(() => existsSync(join(published.modelsDir, TINY)), { timeout: 60_000, interval: 1 });
    child.kill('SIGKILL');
    await output;
    expect(await startObtaining(published).output).toBe(`installed ${large.pack.recogniser.sha256}`);
    expect(published.server.requests).toHaveLength(1);
    expect(await filesIn(published.modelsDir)).not.toContainEqual(expect.stringMatching(/installing/));
  });

  it('leaves files that the next installation removes', async () => {
    const { obtain, modelsDir } = await publishPack((_, __, content) => ({ content }));
    await writeFiles(modelsDir, {
      [`${TINY}/.rec.onnx.${ID}.installing`]: '',
      [`.${TINY}.${ID}.staged/rec.onnx`]: '',
      [`.${TINY}.lock.${ID}`]: '',
      '.tiny.zip.staged': 'of another pack',
    });
    await obtain();
    expect(await filesIn(modelsDir)).toEqual(['.tiny.zip.staged', ...INSTALLED]);
  });

  it('leaves files that a start with the installed pack removes when they are old', async () => {
    const { obtain, modelsDir, tiny } = await publishPack(() => ({}));
    const left = [`${TINY}/.rec.onnx.${ID}.installing`, '.tiny.zip.partial', '.tiny.zip.partial.json'];
    const current = `${TINY}/.det.onnx.${ID}.installing`;
    const contents = Object.fromEntries([...left, current].map((path) => [path, 'left']));
    await writeFiles(modelsDir, { ...contents });
    await writeFiles(join(modelsDir, TINY), tiny.files);
    for (const path of left) await utimes(join(modelsDir, path), 1_000, 1_000);
    await obtain();
    expect(await filesIn(modelsDir)).toEqual([current, ...INSTALLED]);
  });
});

describe('an installation', () => {
  it('that is stopped after the download needs no second one', async () => {
    const { obtain, server, modelsDir, tiny } = await publishPack((_, __, content) => ({ content }));
    const stop = new AbortController();
    const info = (_: object, message: string) => {
      if (message.includes('100 %')) stop.abort(new Error('draining'));
    };
    const stopped = obtain({ signal: stop.signal, log: { info, warn: info } });
    await expect(stopped).rejects.toThrow('draining');
    expect((await stat(join(modelsDir, '.tiny.zip.partial'))).size).toBe(tiny.archive.length);
    await obtain();
    expect(server.requests).toHaveLength(1);
    expect(await filesIn(modelsDir)).toEqual(INSTALLED);
  });

  it.each([
    ['the same content', (content: Buffer) => content.subarray(30_000)],
    ['wrong content', () => Buffer.alloc(30_000)],
  ])('that was suspended cannot damage the files of its successor (%s)', async (_, restOf) => {
    const folder = await temporaryFolder();
    const { pack, files } = tinyPack();
    const content = files['rec.onnx'] ?? Buffer.of();
    const [suspended, resumed] = [gate(), gate()];
    async function* interrupted() {
      yield content.subarray(0, 30_000);
      suspended.open();
      await resumed.opened;
      yield restOf(content);
    }
    const install = (read: () => AsyncIterable<Buffer>) =>
      placeVerifiedFiles(folder, [{ file: pack.recogniser, origin: 'a source', open: async () => read() }]);
    const first = install(interrupted);
    await suspended.opened;
    await install(async function* () {
      yield content;
    });
    resumed.open();
    await first.catch(() => {});
    expect((await readFile(join(folder, 'rec.onnx'))).equals(content)).toBe(true);
    expect(await filesIn(folder)).toEqual(['rec.onnx']);
  });

  it('keeps its lock while the process has too many open files', async () => {
    const script = `
      import { openSync, closeSync } from 'node:fs';
      import { setTimeout as sleep } from 'node:timers/promises';
      const { withInstallLock } = await import(${built('install/install-lock.js')});
      const { modelsDir } = JSON.parse(process.argv[1]);
      await withInstallLock(modelsDir + '/.tiny.lock', { heartbeatMs: 20, staleMs: 10_000 }, async (signal) => {
        const files = [];
        try { for (;;) files.push(openSync('/dev/null')); } catch (error) { console.log(error.code); }
        await sleep(200);
        files.forEach(closeSync);
        console.log(signal.aborted ? signal.reason.message : 'kept');
      });`;
    const published = await publishPack(() => ({}));
    const wrapper = ['sh', '-c', 'ulimit -n 100 && exec "$@"', 'sh'];
    expect(await startObtaining(published, { script, wrapper }).output).toBe('EMFILE\nkept');
    expect(await filesIn(published.modelsDir)).toEqual([]);
  });
});
