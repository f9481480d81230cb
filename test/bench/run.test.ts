import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Results } from '../../bench/results.ts';
import { runProgram } from '../support/processes/child-process.ts';
import { ROOT } from '../support/shared.ts';

/** The run starts a service and visits every group; on a busy machine that takes long. */
const RUN_TIMEOUT_MS = 180_000;
const out = mkdtempSync(join(tmpdir(), 'bench-test-'));
afterAll(() => rmSync(out, { recursive: true, force: true }));

const run = (...options: string[]) => runProgram(['build/bench/run.js', ...options], { cwd: ROOT }).ended;

describe('a run of the benchmark with the synthetic pack', () => {
  let printed: string;
  let results: Results;

  beforeAll(async () => {
    const only = 'inference,stages,closed,open,health';
    const tiny = ['--quick', '--seconds', '0.05', '--sizes', '250', '--only', only];
    const ended = await run('--pack', 'synthetic', '--peer', 'off', '--out', out, ...tiny);
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
    expect(moments).toEqual(expect.arrayContaining(['idle', 'ordinary', 'after']));
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

it('an unknown value of an option prints the usage and exits with 2', async () => {
  expect(await run('--only', 'nothing')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--pack'),
  });
});
