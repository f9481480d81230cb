import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../support/numbers.ts';
import { bodyAttacks, type Material } from './bodies/attacks.ts';
import { CHANGES, oneOf } from './pictures/mutate.ts';
import { subject } from './pictures/ordinary.ts';
import { runAttacks } from './support/attack.ts';
import { CAMPAIGN, report } from './support/campaign.ts';
import { Client } from './support/client.ts';
import { bodyProbes, pictureProbes } from './support/probes.ts';
import { settledMemory, Target } from './support/target.ts';
import { embedRequest } from './support/usual.ts';

const CALLERS = 8;
const DAY_MS = 86_400_000;
/** Malformed messages for each changed body. */
const MESSAGES_SHARE = 0.1;

let target: Target;
let client: Client;
afterEach(async () => {
  client.close();
  await target.end();
});

async function startTarget(): Promise<void> {
  target = await new Target({ HEADERS_TIMEOUT_MS: '2000', BODY_TIMEOUT_MS: '5000' }).start();
  client = new Client(target.address);
}

/** Pictures with a face where there are photographs, and the embedding of one. */
async function material(): Promise<Material> {
  const pictures = await Promise.all([160, 96].map((side) => subject(side, side).jpeg().toBuffer()));
  const { body } = await client.send(embedRequest(pictures[0] as Buffer));
  const { faces, model } = JSON.parse(body.toString());
  const text = (faces[0]?.embedding as string | undefined) ?? Buffer.alloc(2_048, 1).toString('base64');
  const bytes = Buffer.from(text, 'base64');
  const numbers = Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(4 * index));
  return { pictures, embedding: { text, numbers }, space: model.embedding_space };
}

describe('changed bodies', () => {
  it('end as an answer or a refusal, and change nothing for others', { timeout: DAY_MS }, async () => {
    await startTarget();
    const made = await material();
    const { bodies: count, first, seed } = CAMPAIGN;
    let warmMemory = Number.NaN;
    const outcome = await runAttacks({
      client,
      attack: bodyAttacks(made, seed),
      first,
      count,
      callers: CALLERS,
      maxMinutes: CAMPAIGN.fuzzMinutes,
      probes: [...(await pictureProbes()), ...(await bodyProbes(made.embedding.text))],
      probeEvery: 10,
      onProgress(done) {
        if (Number.isNaN(warmMemory) && done >= count / 5) warmMemory = target.memory;
      },
    });
    const settled = await settledMemory(target);
    report('Changed bodies', {
      seed,
      first,
      sent: outcome.sent,
      answers: outcome.answers,
      median: Math.round(outcome.median),
      slowest: outcome.slowest
        .slice(0, 3)
        .map(({ attack, ms }) => ({ name: attack.name, ms: Math.round(ms) })),
      probes: outcome.probes,
      workersLost: await target.workersLost(),
      memory: {
        afterAFifth: Math.round(warmMemory),
        settled: Math.round(settled),
        peak: Math.round(target.peakMemory),
      },
    });
    expect(outcome.faults).toEqual([]);
    expect(await target.workersLost()).toBe(0);
    expect(target.complaints).toEqual([]);
    expect(Object.values(await target.held())).toEqual([0, 0, 0, 0]);
  });
});

describe('changed HTTP messages', () => {
  it('are answered with an error, or the connection is closed', { timeout: DAY_MS }, async () => {
    await startTarget();
    const count = Math.ceil(CAMPAIGN.bodies * MESSAGES_SHARE);
    const port = Number(new URL(target.address).port);
    const answers: Record<string, number> = {};
    const faults: string[] = [];
    let next = 0;
    const call = async () => {
      while (next < count) {
        const index = next++;
        const message = changedMessage(index);
        const status = await exchange(port, message);
        answers[status] = (answers[status] ?? 0) + 1;
        if (/^5/.test(status) && status !== '503' && status !== '504')
          faults.push(`#${index}: ${status} ${message.toString('latin1')}`);
      }
    };
    await Promise.all(Array.from({ length: CALLERS }, call));
    report('Changed HTTP messages', { seed: CAMPAIGN.seed, sent: count, answers });
    expect(faults).toEqual([]);
    expect(target.hasEnded).toBe(false);
    expect(await target.workersLost()).toBe(0);
    expect(target.complaints).toEqual([]);
    // An image whose caller has closed the connection is still embedded.
    await expect.poll(async () => Object.values(await target.held())).toEqual([0, 0, 0, 0]);
  });
});

const MESSAGES = [
  'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET /livez HTTP/1.0\r\n\r\n',
  'POST /v1/embed?faces=all HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 5\r\n\r\nhello',
  'POST /v1/compare HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
  'POST /v1/embed HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab',
  'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\nGET /readyz HTTP/1.1\r\nHost: x\r\n\r\n',
  'CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n',
  'GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
].map((text) => Buffer.from(text));

function changedMessage(index: number): Buffer {
  const random = seededRandom(CAMPAIGN.seed * 1_000_003 + index);
  let message = oneOf(random, MESSAGES);
  for (let left = Math.floor(4 * random()); left > 0; left--)
    message = Buffer.from(oneOf(random, CHANGES)(random, message));
  return message.subarray(0, 100_000);
}

/** Sends a message and ends the sending side. @returns the status of the first answer, or that there was none. */
async function exchange(port: number, message: Buffer): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  socket.end(message);
  await once(socket, 'close').catch(() => {});
  return /^HTTP\/1\.[01] (\d{3})/.exec(received)?.[1] ?? 'closed';
}
