import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generateSyntheticPack, SYNTHETIC_PACK_FILES } from '../../tools/synthetic/pack.ts';
import { freePort } from '../support/processes/free-port.ts';
import { hasRealWeights, MODELS } from '../support/shared.ts';
import { temporaryFolder, writeFiles } from '../support/temporary-folder.ts';
import { ordinaryPictures, subject } from './pictures/ordinary.ts';
import { report, reportSkipped } from './support/campaign.ts';
import { Client } from './support/client.ts';
import { Target } from './support/target.ts';
import { embedRequest } from './support/usual.ts';
import { canMount, fillVolume, mountVolume } from './support/volumes.ts';

let target: Target | undefined;
let client: Client | undefined;
let photograph: Buffer;

beforeEach(async () => {
  photograph = await subject(320, 240).jpeg().toBuffer();
});
afterEach(async () => {
  client?.close();
  await target?.end();
  [target, client] = [undefined, undefined];
});

async function start(environment: Record<string, string>, openFiles?: number): Promise<Target> {
  target = new Target(environment, openFiles === undefined ? {} : { openFiles });
  await target.start();
  client = new Client(target.address);
  return target;
}

/** The faces of the photograph as the service answers now, or the error. */
async function answerNow(): Promise<string> {
  const { status, body } = await (client as Client).send(embedRequest(photograph));
  return status === 200
    ? JSON.stringify(JSON.parse(body.toString()).faces)
    : `${status}: ${body.toString('latin1', 0, 300)}`;
}

describe('weights', () => {
  /** A pack in a folder that a test may spoil. */
  async function ownPack(): Promise<{
    settings: Record<string, string>;
    folder: string;
    detector: string;
    recogniser: string;
  }> {
    const modelsDir = await temporaryFolder();
    const folder = join(modelsDir, 'own');
    if (hasRealWeights) {
      cpSync(join(MODELS, 'buffalo_sc_dq'), folder, { recursive: true });
    } else {
      const pack = generateSyntheticPack();
      await writeFiles(folder, {
        [SYNTHETIC_PACK_FILES.detector]: pack.detector,
        [SYNTHETIC_PACK_FILES.recogniser]: pack.recogniser,
      });
    }
    const [detector, recogniser] = readdirSync(folder)
      .filter((name) => name.endsWith('.onnx'))
      .sort()
      .map((name) => join(folder, name)) as [string, string];
    return { settings: { MODEL_NAME: 'own', MODELS_DIR: modelsDir }, folder, detector, recogniser };
  }

  it.each<[string, (pack: { folder: string; detector: string; recogniser: string }) => void]>([
    [
      'cut',
      ({ detector, recogniser }) => {
        for (const file of [detector, recogniser]) truncateSync(file, 1_000);
      },
    ],
    [
      'overwritten in place',
      ({ recogniser }) =>
        writeFileSync(recogniser, Buffer.alloc(readFileSync(recogniser).length, 7), { flag: 'r+' }),
    ],
    [
      'swapped',
      ({ detector, recogniser }) => {
        renameSync(detector, `${detector}.old`);
        renameSync(recogniser, detector);
        renameSync(`${detector}.old`, recogniser);
      },
    ],
    [
      'replaced by rename',
      ({ folder, recogniser }) => {
        writeFileSync(join(folder, 'new'), 'no network');
        renameSync(join(folder, 'new'), recogniser);
      },
    ],
    ['deleted', ({ folder }) => rmSync(folder, { recursive: true })],
  ])('that are %s while the service runs change no answer', async (_, spoil) => {
    const pack = await ownPack();
    const service = await start(pack.settings);
    const before = await answerNow();
    expect(before).toMatch(/embedding/);
    spoil(pack);
    for (let left = 10; left > 0; left--) expect(await answerNow()).toBe(before);
    expect((await fetch(`${service.address}/readyz`)).status).toBe(200);
    expect(service.complaints).toEqual([]);
  });

  it('that are cut before the start keep the service alive and unready, until they are whole again', async () => {
    const pack = await ownPack();
    const whole = readFileSync(pack.recogniser);
    truncateSync(pack.recogniser, whole.length / 2);
    target = new Target(pack.settings);
    const address = await target.service.listening();
    client = new Client(address);
    await expect
      .poll(() =>
        target?.service.log.some(({ msg }) => `${msg}`.startsWith('The model pack could not be loaded')),
      )
      .toBe(true);
    expect((await fetch(`${address}/livez`)).status).toBe(200);
    expect((await fetch(`${address}/readyz`)).status).toBe(503);
    expect(await answerNow()).toMatch(/^503: .*MODEL_NOT_LOADED/);
    writeFileSync(pack.recogniser, whole);
    await expect.poll(async () => (await fetch(`${address}/readyz`)).status).toBe(200);
    expect(await answerNow()).toMatch(/embedding/);
  });
});

describe.skipIf(!canMount)('a volume', () => {
  it.each(['full', 'read-only'])(
    'for temporary files that is %s changes no answer, for any format',
    async (state) => {
      const usual = await start({});
      const pictures = await ordinaryPictures();
      const all = () =>
        Promise.all(
          pictures.map(async ({ name, bytes }) => {
            const { status, body } = await (client as Client).send(embedRequest(bytes));
            return `${name} ${status} ${status === 200 ? JSON.stringify(JSON.parse(body.toString()).faces) : ''}`;
          }),
        );
      const expected = await all();
      client?.close();
      await usual.end();
      const folder = mountVolume('size=1m');
      if (state === 'full') fillVolume(folder);
      else mountReadOnly(folder);
      await start({ TMPDIR: folder, HOME: folder });
      expect(await all()).toEqual(expected);
    },
  );

  it('for the log that runs full stops no answer', async () => {
    const folder = mountVolume('size=64k');
    const port = await freePort();
    const wrapper = ['sh', '-c', 'exec "$@" >"$LOG_FILE"', 'sh'];
    target = new Target({ PORT: `${port}`, LOG_FILE: join(folder, 'log'), LOG_LEVEL: 'trace' }, { wrapper });
    const address = `http://127.0.0.1:${port}`;
    client = new Client(address);
    await expect
      .poll(
        () =>
          fetch(`${address}/readyz`).then(
            ({ status }) => status,
            () => 0,
          ),
        { interval: 200 },
      )
      .toBe(200);
    const before = await answerNow();
    for (let left = 600; left > 0; left--)
      expect(
        (await client.send({ method: 'GET', path: '/v1/health', headers: {}, body: Buffer.alloc(0) })).status,
      ).toBe(200);
    expect(readFileSync(join(folder, 'log')).length).toBeGreaterThan(30_000);
    fillVolume(folder);
    for (let left = 100; left > 0; left--)
      expect(
        (await client.send({ method: 'GET', path: '/nowhere', headers: {}, body: Buffer.alloc(0) })).status,
      ).toBe(404);
    expect(await answerNow()).toBe(before);
    expect(target.hasEnded).toBe(false);
    expect(target.service.stderr).toBe('');
  });
});

if (!canMount) reportSkipped('Full and read-only volumes', 'This process may not mount file systems.');

function mountReadOnly(folder: string): void {
  // Remounted, since a new volume has to have its folder.
  if (spawnSync('mount', ['-o', 'remount,ro', folder]).status !== 0)
    throw new Error(`${folder} cannot be remounted.`);
}

describe('a process that may have 300 files open', () => {
  it('answers or refuses a thousand connections, logs no raw error, and is usable afterwards', async () => {
    const service = await start({}, 300);
    const before = await answerNow();
    const idle = service.descriptors.length;
    const outcomes: Record<string, number> = {};
    const sockets: Socket[] = [];
    const port = Number(new URL(service.address).port);
    for (let opened = 0; opened < 1_000; opened++) {
      const socket = connect(port, '127.0.0.1');
      let received = '';
      socket.on('data', (chunk) => {
        received += chunk.toString('latin1');
      });
      socket.on('error', () => {});
      socket.on('close', () => {
        const outcome = /^HTTP\/1\.1 (\d+)/.exec(received)?.[1] ?? 'closed';
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      });
      socket.write(
        `POST /v1/embed?faces=all HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: ${photograph.length}\r\n\r\n`,
      );
      socket.write(photograph);
      sockets.push(socket);
      if (opened % 50 === 0) await sleep(20);
    }
    await sleep(3_000);
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => service.descriptors.length).toBeLessThanOrEqual(idle + 5);
    report('Too many connections', {
      opened: sockets.length,
      outcomes,
      descriptors: { idle, after: service.descriptors.length },
    });
    expect(await answerNow()).toBe(before);
    expect(service.hasEnded).toBe(false);
    expect(service.service.stderr).toBe('');
    expect(service.service.stdout).not.toMatch(/EMFILE|\bat .+\(node:|\bat .+\.js:\d+/);
  });
});
