import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { subject } from './pictures/ordinary.ts';
import { report, reportSkipped } from './support/campaign.ts';
import { Client, type SentRequest } from './support/client.ts';
import { settledMemory, Target } from './support/target.ts';
import { embedRequest } from './support/usual.ts';

/** What the shipped files give a process of two workers with a small pack; see docs/OPERATIONS.md, "Sizing". */
const LIMIT_MIB = 2_048;
const CALLERS = 40;
const SECONDS = 60;
/** A caller that is refused at once, and too busy to send the rest of a large body in the time that it is given. */
const CUT_OFF = ['ECONNRESET', 'EPIPE'];

let target: Target;
let client: Client;
afterEach(async () => {
  client?.close();
  await target?.end();
});

/** A control group with the limit, in the group of this process, or undefined where that is not possible. */
function limitedGroup(): string | undefined {
  try {
    const root = /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/mounts', 'utf8'))?.[1];
    const own = /^0::(.+)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
    if (root === undefined || own === undefined) return undefined;
    const group = join(root, own, `soak-${process.pid}`);
    mkdirSync(group);
    if (existsSync(join(group, 'memory.max'))) {
      writeFileSync(join(group, 'memory.max'), String(LIMIT_MIB * 1024 * 1024));
      return group;
    }
    rmdirSync(group);
  } catch {}
  return undefined;
}

it(`the documented memory limit of ${LIMIT_MIB} MiB is enough for everything the limits allow at a time`, {
  timeout: 900_000,
}, async () => {
  const group = limitedGroup();
  if (group === undefined) {
    reportSkipped(
      'The limit itself',
      'No control group (version 2) with a memory limit can be created here: only the use is measured.',
    );
  }
  const wrapper =
    group === undefined ? [] : ['sh', '-c', `echo $$ >${group}/cgroup.procs && exec "$@"`, 'sh'];
  target = await new Target(
    { REQUEST_TIMEOUT_MS: undefined, MIN_UPLOAD_RATE: undefined },
    { wrapper },
  ).start();
  client = new Client(target.address);
  const idle = target.memory;
  const requests = await largestRequests();
  const answers: Record<string, number> = {};
  const end = performance.now() + SECONDS * 1_000;
  let next = 0;
  const call = async () => {
    while (performance.now() < end && !target.hasEnded) {
      const { status, failure } = await client.send(requests[next++ % requests.length] as SentRequest);
      const key = failure ?? String(status);
      answers[key] = (answers[key] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, call));
  report('The documented memory limit', {
    limit: LIMIT_MIB,
    enforced: group !== undefined,
    callers: CALLERS,
    answers,
    memory: {
      idle: Math.round(idle),
      peak: Math.round(target.peakMemory),
      after: Math.round(await settledMemory(target)),
    },
  });
  expect(target.hasEnded).toBe(false);
  expect(target.peakMemory).toBeLessThan(LIMIT_MIB);
  const expected = ['200', '400', '413', '415', '422', '503', '504', ...CUT_OFF];
  expect(Object.keys(answers).filter((status) => !expected.includes(status))).toEqual([]);
  await target.service.stop();
  if (group !== undefined) rmdirSync(group);
});

/** As large as the default limits allow: pixels, bytes of an image, bytes of a body, comparisons. */
async function largestRequests(): Promise<SentRequest[]> {
  const json = (path: string, body: object): SentRequest => ({
    path,
    headers: { 'Content-Type': 'application/json' },
    body: Buffer.from(JSON.stringify(body)),
  });
  const pixels = await subject(7_000, 7_000).jpeg({ quality: 60 }).toBuffer();
  const png = await subject(7_000, 7_000).png({ palette: true, colours: 4, effort: 1 }).toBuffer();
  const ordinary = await subject(1_280, 960).jpeg().toBuffer();
  const count = 9_000;
  const embedding = Buffer.from(new Float32Array(512).fill(0.1).buffer);
  const ids = Array.from({ length: count }, (_, index) => `${index}`);
  const block = { ids, embeddings: Buffer.concat(ids.map(() => embedding)).toString('base64') };
  const numbers = Array.from({ length: 512 }, (_, index) => Math.sin(index + 1));
  const list = Array.from({ length: 2_500 }, (_, index) => ({ id: `${index}`, embedding: numbers }));
  const images = Array.from({ length: 60 }, () => ordinary.toString('base64'));
  return [
    embedRequest(pixels),
    embedRequest(png),
    json('/v1/embed', { images, faces: 'all' }),
    json('/v1/compare', { query_embedding: numbers, reference_embeddings: block }),
    json('/v1/compare', { query_embedding: numbers, reference_embeddings: list }),
    json('/v1/compare', {
      query_embeddings: {
        ids: ids.slice(0, 100),
        embeddings: Buffer.concat(ids.slice(0, 100).map(() => embedding)).toString('base64'),
      },
      reference_embeddings: block,
      top_k: 20,
    }),
    json('/v1/compare', { junk: Array.from({ length: 1_000_000 }, () => ({})) }),
    embedRequest(Buffer.alloc(10 * 1024 * 1024, 1)),
  ];
}
