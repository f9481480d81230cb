import sharp from 'sharp';
import { afterEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../support/numbers.ts';
import type { Picture } from './pictures/cases.ts';
import { mutate, oneOf } from './pictures/mutate.ts';
import { ordinaryPictures } from './pictures/ordinary.ts';
import { AT_THE_LIMITS, SMALL, worstCases } from './pictures/worst.ts';
import { type Attack, judge, keep, runAttacks } from './support/attack.ts';
import { CAMPAIGN, report } from './support/campaign.ts';
import { Client, type SentRequest } from './support/client.ts';
import { pictureProbes } from './support/probes.ts';
import { settledMemory, Target } from './support/target.ts';
import { embedRequest, fastest, UsualTimes } from './support/usual.ts';

/** The slowest picture, over an ordinary photograph of as many pixels. */
const MAX_RATIO = 20;
/** The default of MAX_IMAGE_PIXELS; what has more is refused and should take no time. */
const MAX_PIXELS = 50_000_000;
const CALLERS = 8;
const DAY_MS = 86_400_000;

let target: Target;
let client: Client;
afterEach(async () => {
  client.close();
  await target.end();
});

describe('pictures made to be slow', () => {
  it('take at most twenty times as long as an ordinary photograph of as many pixels', {
    timeout: DAY_MS,
  }, async () => {
    target = await new Target().start();
    client = new Client(target.address);
    const usual = await UsualTimes.measure(client);
    const slow: { name: string; bytes: number; ms: number; ratio: number; answer: string }[] = [];
    const faults: string[] = [];
    for await (const { name, bytes, pixels } of worstCases(AT_THE_LIMITS)) {
      const attack: Attack = { name, request: embedRequest(bytes) };
      const received = await client.send(attack.request);
      const { code, fault } = judge(received);
      // What is slow only once was slowed down by something else.
      let { ms } = received;
      const limit = MAX_RATIO * usual.of(pixels);
      if (ms > limit) ms = Math.min(ms, await fastest(client, attack.request, 2));
      slow.push({
        name,
        bytes: bytes.length,
        ms: Math.round(ms),
        ratio: ms / usual.of(pixels),
        answer: code,
      });
      if (fault !== undefined) faults.push(`${name}: ${fault}`);
      if (ms > limit) faults.push(`${name}: ${Math.round(ms)} ms; ${keep(attack)}`);
      if (target.ending !== undefined) {
        faults.push(`${name}: ${target.ending}; ${keep(attack)}`);
        break;
      }
    }
    slow.sort((a, b) => b.ratio - a.ratio);
    report('Pictures made to be slow', {
      count: slow.length,
      usual: usual.figures,
      slowest: slow.slice(0, 12).map((one) => ({ ...one, ratio: Number(one.ratio.toFixed(1)) })),
      workersLost: await target.workersLost(),
      peakMemory: Math.round(target.peakMemory),
    });
    expect(faults).toEqual([]);
    expect(await target.workersLost()).toBe(0);
    expect(target.complaints).toEqual([]);
  });
});

describe('changed pictures', () => {
  it('end as an answer or a refusal, and change nothing for others', { timeout: DAY_MS }, async () => {
    target = await new Target().start();
    client = new Client(target.address);
    const usual = await UsualTimes.measure(client);
    const pictures: Picture[] = await ordinaryPictures();
    for await (const { name, format, bytes } of worstCases(SMALL)) pictures.push({ name, format, bytes });
    const all = pictures.map(({ bytes }) => bytes);
    const attack = (index: number): Attack => {
      const random = seededRandom(CAMPAIGN.seed * 1_000_003 + index);
      const { name, format, bytes } = oneOf(random, pictures);
      const changed = mutate(random, bytes, format, all);
      return { name: `${name} #${index}`, request: transport(random, changed), picture: changed };
    };

    const { pictures: count, first } = CAMPAIGN;
    let warmMemory = Number.NaN;
    const outcome = await runAttacks({
      client,
      attack,
      first,
      count,
      callers: CALLERS,
      maxMinutes: CAMPAIGN.fuzzMinutes,
      probes: await pictureProbes(),
      probeEvery: 20,
      onProgress(done) {
        if (Number.isNaN(warmMemory) && done >= count / 5) warmMemory = target.memory;
      },
    });
    // Slow under load may mean that others were slow: what counts is the time alone.
    const slowestAlone = { ratio: 0, name: '' };
    for (const { attack: one } of outcome.slowest) {
      const ratio = (await fastest(client, one.request, 2)) / usual.of(await pixelsOf(one));
      if (ratio > slowestAlone.ratio) Object.assign(slowestAlone, { ratio, name: one.name });
      if (ratio > MAX_RATIO)
        outcome.faults.push(`${one.name}: ${ratio.toFixed(1)} times the usual; ${keep(one)}`);
    }
    const settled = await settledMemory(target);
    report('Changed pictures', {
      seed: CAMPAIGN.seed,
      first,
      sent: outcome.sent,
      answers: outcome.answers,
      median: Math.round(outcome.median),
      probes: outcome.probes,
      slowestAlone,
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

/** Pixels that a picture declares, and the service accepts. */
async function pixelsOf({ picture }: Attack): Promise<number> {
  if (picture === undefined || picture.length === 0) return 0;
  const { width = 0, height = 0 } = await sharp(picture, { limitInputPixels: false, failOn: 'none' })
    .metadata()
    .catch((): { width?: number; height?: number } => ({}));
  return width * height > MAX_PIXELS ? 0 : width * height;
}

/** Most pictures are sent as they are, some in a form or in JSON. */
function transport(random: () => number, picture: Buffer): SentRequest {
  const kind = random();
  if (kind < 0.8)
    return embedRequest(picture, oneOf(random, ['image/jpeg', 'application/octet-stream', 'image/avif']));
  const options = { faces: 'all', encoding_format: 'base64' };
  if (kind < 0.9) {
    const body = Buffer.from(JSON.stringify({ image: picture.toString('base64'), ...options }));
    return { path: '/v1/embed', headers: { 'Content-Type': 'application/json' }, body };
  }
  const head = '--edge\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n';
  const fields = Object.entries(options).map(
    ([name, value]) => `--edge\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const body = Buffer.concat([Buffer.from(fields.join('') + head), picture, Buffer.from('\r\n--edge--\r\n')]);
  return { path: '/v1/embed', headers: { 'Content-Type': 'multipart/form-data; boundary=edge' }, body };
}
