import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateLoad, probe, tally } from '../support/load.ts';
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
const SECONDS = 8;
const EXPECTED = /^(200|503 OVERLOADED|504 DEADLINE_EXCEEDED)$/;
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

const summary = (probes: { ms: number }[]) => {
  const sorted = probes.map(({ ms }) => ms).sort((a, b) => a - b);
  const at = (share: number) => quantile(sorted, share);
  return { p50: at(0.5), p99: at(0.99), text: `p50 ${at(0.5).toFixed(1)} ms, p99 ${at(0.99).toFixed(1)} ms` };
};

/** Docker's health check, in a process of its own each time. */
async function runHealthchecks(count: number): Promise<(number | null)[]> {
  const codes: (number | null)[] = [];
  for (let i = 0; i < count; i++) {
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const script = join(ROOT, 'src/cli/healthcheck.ts');
    const env = { PORT: new URL(address).port };
    codes.push(spawnSync(process.execPath, [script], { env, timeout: 5000 }).status);
  }
  return codes;
}

/** One round of load, and how everything fares meanwhile. */
async function overload(rate: number, controlAddress: string) {
  let peak = 0;
  const sampler = setInterval(() => {
    peak = Math.max(peak, service.memory);
  }, 100);
  const [outcomes, probes, controls, healthchecks] = await Promise.all([
    offer(rate, SECONDS),
    probe(address, 400, PROBES),
    probe(controlAddress, 400, ['/']),
    runHealthchecks(3),
  ]);
  clearInterval(sampler);
  return { outcomes, probes, controls, healthchecks, peak };
}

describe('ten times the load it can carry', () => {
  it('answers 200, 503 or 504, finishes what it accepted, keeps its probes fast and its memory', async () => {
    const control = spawn(process.execPath, ['-e', CONTROL], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [port] = await once(control.stdout, 'data');
    const controlAddress = `http://127.0.0.1:${String(port).trim()}`;
    const alone = await probe(address, 300, PROBES);
    // More than it can carry, to learn what that is.
    const trial = await offer(150, 3);
    const capacity = trial.filter(({ status }) => status === 200).length / 3;
    const rate = Math.round(capacity * 10);
    const settled = service.memory;

    let fast = false;
    // Whatever else the machine does can only make probes slower: one quiet round of two shows what the service does.
    for (let round = 1; round <= 2 && !fast; round++) {
      const { outcomes, probes, controls, healthchecks, peak } = await overload(rate, controlAddress);
      const counts = tally(outcomes);
      const served = outcomes.filter(({ status }) => status === 200);
      const refused = outcomes.filter(({ status }) => status === 503);
      console.log(
        [
          `${hasRealWeights ? 'real weights' : 'synthetic pack'}: capacity about ${capacity.toFixed(0)}/s, ` +
            `offered ${rate}/s for ${SECONDS} s`,
          `outcomes: ${JSON.stringify(counts)}; served at ${(served.length / SECONDS).toFixed(0)}/s`,
          `probes alone: ${summary(alone).text}; saturated: ${summary(probes).text}; ` +
            `a server that does nothing beside it: ${summary(controls).text}`,
          `memory: ${settled.toFixed(0)} MiB before, peak ${peak.toFixed(0)}`,
        ].join('\n'),
      );
      expect(Object.keys(counts).filter((key) => !EXPECTED.test(key))).toEqual([]);
      expect(served.length).toBeGreaterThan(capacity * SECONDS * 0.5);
      expect(summary(refused).p50).toBeLessThan(100);
      expect(new Set(probes.map(({ status }) => status))).toEqual(new Set([200]));
      expect(healthchecks).toEqual([0, 0, 0]);
      expect(peak).toBeLessThan(settled + 150);
      fast = summary(probes).p99 < 20;
    }
    control.kill();
    expect(fast).toBe(true);
    await offer(Math.max(1, Math.round(capacity / 4)), 2);
    expect(service.memory).toBeLessThan(settled + 100);
  });
});
