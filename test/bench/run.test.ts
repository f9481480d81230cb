import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../support/shared.ts';

const out = mkdtempSync(join(tmpdir(), 'bench-test-'));
afterAll(() => rmSync(out, { recursive: true, force: true }));

const run = (...options: string[]) =>
  promisify(execFile)(process.execPath, [join(ROOT, 'bench/run.ts'), '--no-build', ...options], {
    cwd: ROOT,
  });

describe('a run of the benchmark on the synthetic pack', () => {
  let printed: string;
  // biome-ignore lint/suspicious/noExplicitAny: results.json, looked at member by member.
  let results: any;

  beforeAll(async () => {
    const only = 'inference,stages,closed,open,health';
    const tiny = ['--quick', '--seconds', '0.05', '--sizes', '250', '--only', only];
    const { stdout } = await run('--pack', 'synthetic', '--peer', 'off', '--out', out, ...tiny);
    printed = stdout;
    results = JSON.parse(readFileSync(join(out, 'results.json'), 'utf8'));
  });

  it('measures the networks, the stages, both loops, health and memory, and nothing fails', () => {
    expect(results.inference.recogniser.untouched.median).toBeGreaterThan(0);
    expect(results.stages[0].whole.median).toBeGreaterThan(0);
    const [duel] = results.closed;
    expect(duel.systems.service.throughput.median).toBeGreaterThan(0);
    expect(duel.systems.reference.throughput.median).toBeGreaterThan(0);
    for (const { systems } of results.closed)
      for (const { failures } of Object.values<{ failures?: object }>(systems)) expect(failures).toEqual({});
    expect(results.open[0].latency.p50).toBeGreaterThan(0);
    expect(results.health[0].eventLoopDelay.max).toBeGreaterThanOrEqual(0);
    if (process.platform === 'linux') expect(results.memory.service.after.resident).toBeGreaterThan(10);
  });

  it('prints the floors', () => {
    expect(printed).toMatch(/^figure +floor +measured/);
    expect(printed).toContain('not measured');
  });

  it('names no place of this machine in what it writes', () => {
    for (const file of ['results.json', 'tables.md', 'latency-throughput.svg'])
      expect(readFileSync(join(out, file), 'utf8')).not.toContain(ROOT);
  });
});

it('a wrong option ends with how it is used', async () => {
  await expect(run('--only', 'nothing')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--pack'),
  });
});
