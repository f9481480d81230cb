import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generatePicture } from '../../bench/pictures/generated.ts';
import type { Results } from '../../bench/results.ts';
import { runProgram } from '../support/processes/child-process.ts';
import { ROOT } from '../support/shared.ts';

/** The runs start services and visit every group; on a busy machine that takes long. */
const RUN_TIMEOUT_MS = 600_000;
const HAS_MEMORY = existsSync('/proc/self/smaps_rollup');
const out = mkdtempSync(join(tmpdir(), 'bench-test-'));
afterAll(() => rmSync(out, { recursive: true, force: true }));

const run = (options: string[], env: NodeJS.ProcessEnv = {}) =>
  runProgram(['build/bench/run.js', ...options], { cwd: ROOT, env: { ...process.env, ...env } }).ended;

describe('a run of the benchmark with the synthetic pack', () => {
  let printed: string;
  let results: Results;

  beforeAll(async () => {
    const only = 'inference,stages,closed,open,health';
    const tiny = ['--quick', '--seconds', '0.05', '--sizes', '250', '--only', only];
    const ended = await run(['--pack', 'synthetic', '--peer', 'off', '--out', out, ...tiny]);
    expect(ended.code, ended.stderr).toBe(0);
    printed = ended.stdout;
    [results] = JSON.parse(readFileSync(join(out, 'results.json'), 'utf8'));
  }, RUN_TIMEOUT_MS);

  it('measures the networks, the stages, both loops, health and memory, without failures', () => {
    expect(Object.keys(results.inference ?? {})).toEqual(['detector 128', 'detector 640', 'recogniser']);
    expect(results.stages?.map(({ picture }) => picture)).toEqual(['250×250 JPEG', '250×250 PNG']);
    const systems = results.closed?.map((row) => row.systems) ?? [];
    expect(Object.keys(systems[0] ?? {})).toEqual(['service', 'reference']);
    expect(systems.flatMap((each) => Object.values(each).map(({ failures }) => failures))).toEqual(
      systems.flatMap((each) => Object.values(each).map(() => ({}))),
    );
    expect(results.open?.map(({ fraction }) => fraction)).toEqual([0.4, 0.7, 0.95]);
    expect(results.health?.map(({ connections }) => connections)).toEqual([8, 32]);
    const moments = Object.keys(results.memory?.service ?? {});
    if (HAS_MEMORY) expect(moments).toEqual(expect.arrayContaining(['idle', 'ordinary', 'after']));
  });

  it('prints the floors', () => {
    expect(printed).toMatch(/^figure +floor +measured/);
    expect(printed).toContain('not measured');
  });

  it('writes no path of this machine', () => {
    for (const file of ['results.json', 'tables.md', 'latency-throughput.svg'])
      expect(readFileSync(join(out, file), 'utf8')).not.toContain(ROOT);
  });
});

describe('a run of the benchmark with a stand-in of a large pack', () => {
  const folder = join(out, 'large');

  it(
    'makes the pack, measures one, two and four workers and their starts, and leaves nothing behind',
    async () => {
      const [photos, temporary] = [join(folder, 'photos'), join(folder, 'tmp')];
      for (const each of [photos, temporary]) mkdirSync(each, { recursive: true });
      const picture = await generatePicture(1, { width: 250, height: 250 });
      await picture.jpeg().toFile(join(photos, 'a.jpg'));
      const options = ['--pack', 'standin-l', '--peer', 'off', '--photos', photos, '--out', folder];
      const tiny = ['--quick', '--seconds', '0.05', '--sizes', '250', '--only', 'closed,start'];
      // A picture may take seconds on a busy machine; only the small detector pass, since nothing depends on how fast it is.
      const patient = ['REQUEST_TIMEOUT_MS=300000', 'DETECTION_SIZES=128'].flatMap((each) => [
        '--service-env',
        each,
      ]);
      const ended = await run([...options, ...tiny, ...patient], { TMPDIR: temporary });
      expect(ended.code, ended.stderr).toBe(0);
      expect(readdirSync(temporary).filter((name) => name.startsWith('face-embedding'))).toEqual([]);

      const [measured]: Results[] = JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8'));
      const systems = ['service', 'service1', 'service4', 'reference'];
      expect(Object.keys(measured?.closed?.[0]?.systems ?? {})).toEqual(systems);
      expect(measured?.closed?.map((row) => row.systems.service?.failures)).toEqual([{}, {}]);
      expect(measured?.start?.service).toMatchObject({
        cold: { count: 1 },
        warm: { count: 2 },
        ...(HAS_MEMORY && { peak: { cold: expect.any(Number), warm: expect.any(Number) } }),
      });
      const memory = measured?.memory;
      if (!HAS_MEMORY) return;
      // The weights, 190 MB.
      expect(memory?.service1?.idle).toBeGreaterThan(190);
      expect(memory?.service4?.idle).toBeGreaterThan(memory?.service1?.idle ?? Number.NaN);
    },
    RUN_TIMEOUT_MS,
  );

  it('needs a detector for standin-m', async () => {
    expect(await run(['--pack', 'standin-m', '--models', folder, '--out', folder])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('standin-m needs an SCRFD-2.5G'),
    });
  });
});

it('an unknown value of an option prints the usage and exits with 2', async () => {
  expect(await run(['--only', 'nothing'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--pack'),
  });
});
