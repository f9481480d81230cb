import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateLoad, type Probe, probe, tally } from '../support/load.ts';
import { quantile } from '../support/numbers.ts';
import { blobs } from '../support/pictures.ts';
import { ServiceProcess } from '../support/service-process.ts';
import { hasRealWeights, MODELS, photo, ROOT } from '../support/shared.ts';

/** Two workers with real weights where there are any: the load that production has. */
const ENVIRONMENT = {
  WORKERS: '2',
  MAX_QUEUE: '8',
  REQUEST_TIMEOUT_MS: '2000',
  LOG_LEVEL: 'warn',
  MALLOC_ARENA_MAX: '2',
  ...(hasRealWeights ? { MODEL_NAME: 'buffalo_sc_dq', MODELS_DIR: MODELS } : {}),
};
const PROBES = ['/livez', '/readyz', '/v1/health', '/metrics'];

/** A server with nothing to do, to tell what the machine adds to any answer. */
const CONTROL = `const server = require('node:http').createServer((_, answer) => answer.end('{}'));
server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;

let service: ServiceProcess;
let address: string;
let image: { headers: Record<string, string>; body: Uint8Array };

beforeAll(async () => {
  // A warning is part of every refused request's line; the address is logged at info.
  service = new ServiceProcess({ ...ENVIRONMENT, LOG_LEVEL: 'info' });
  address = await service.ready();
  image = {
    headers: { 'Content-Type': 'image/jpeg' },
    body: hasRealWeights ? photo('lfw/Abdullah_0002.jpg') : await blobs(1, 1600, 1200).jpeg().toBuffer(),
  };
});
afterAll(async () => {
  service.kill('SIGTERM');
  expect(await service.exit).toEqual({ code: 0, signal: null });
});

const offer = (rate: number, seconds: number) =>
  generateLoad({ url: `${address}/v1/embed`, rate, seconds, requests: [image] });

const summary = (probes: Probe[]) => {
  const sorted = probes.map(({ ms }) => ms).sort((a, b) => a - b);
  const at = (share: number) => quantile(sorted, share);
  return { p50: at(0.5), p99: at(0.99), text: `p50 ${at(0.5).toFixed(1)} ms, p99 ${at(0.99).toFixed(1)} ms` };
};

describe('ten times the load it can carry', () => {
  it('answers 200, 503 or 504, finishes what it accepted, keeps its probes fast and its memory', async () => {
    const control = spawn(process.execPath, ['-e', CONTROL], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [port] = await once(control.stdout, 'data');
    const controlAddress = `http://127.0.0.1:${String(port).trim()}`;
    const alone = await probe(address, 300, PROBES);

    // Twice what it can carry, to learn what that is.
    const trial = await offer(150, 3);
    const capacity = trial.filter(({ status }) => status === 200).length / 3;
    const rate = Math.round(capacity * 10);
    const settled = service.memory;

    let peak = 0;
    const sampler = setInterval(() => {
      peak = Math.max(peak, service.memory);
    }, 100);
    const [outcomes, probes, controls, healthchecks] = await Promise.all([
      offer(rate, 8),
      probe(address, 400, PROBES),
      probe(controlAddress, 400, ['/']),
      // As Docker asks, in a process of its own each time.
      (async () => {
        const codes: (number | null)[] = [];
        for (let i = 0; i < 3; i++) {
          await new Promise((resolve) => setTimeout(resolve, 1500));
          const { port } = new URL(address);
          const script = join(ROOT, 'scripts/healthcheck.mjs');
          codes.push(spawnSync(process.execPath, [script], { env: { PORT: port }, timeout: 5000 }).status);
        }
        return codes;
      })(),
    ]);
    clearInterval(sampler);
    control.kill();
    await offer(Math.max(1, Math.round(capacity / 4)), 2);
    const after = service.memory;

    const counts = tally(outcomes);
    const served = outcomes.filter(({ status }) => status === 200);
    console.log(
      [
        `${hasRealWeights ? 'real weights' : 'synthetic pack'}: capacity about ${capacity.toFixed(0)}/s, offered ${rate}/s for 8 s`,
        `outcomes: ${JSON.stringify(counts)}; served at ${(served.length / 8).toFixed(0)}/s`,
        `probes alone: ${summary(alone).text}; saturated: ${summary(probes).text}; ` +
          `a server that does nothing beside it: ${summary(controls).text}`,
        `memory: ${settled.toFixed(0)} MiB before, peak ${peak.toFixed(0)}, ${after.toFixed(0)} after`,
      ].join('\n'),
    );
    expect(
      Object.keys(counts).filter((key) => !/^(200|503 OVERLOADED|504 DEADLINE_EXCEEDED)$/.test(key)),
    ).toEqual([]);
    expect(served.length).toBeGreaterThan(capacity * 8 * 0.5);
    expect(new Set(probes.map(({ status }) => status))).toEqual(new Set([200]));
    expect(healthchecks).toEqual([0, 0, 0]);
    // 20 ms, unless the machine itself was busy with something else: then the idle server waited too.
    expect(summary(probes).p99).toBeLessThan(Math.max(20, 10 + summary(controls).p99));
    expect(peak).toBeLessThan(settled + 150);
    expect(after).toBeLessThan(settled + 100);
    const refused = outcomes
      .filter(({ status }) => status === 503)
      .map(({ ms }) => ms)
      .sort((a, b) => a - b);
    expect(quantile(refused, 0.5)).toBeLessThan(100);
  });
});
