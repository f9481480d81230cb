import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { memoryOf, sharedWithOthers } from '../../bench/servers/proc.ts';

/** A thread that starts a process with 100 MiB, says when it has them, and ends it when it is told to. */
const STARTER = `
const { spawn } = require('node:child_process');
const { parentPort } = require('node:worker_threads');
const program = 'globalThis.held = Buffer.alloc(100 << 20, 1); console.log("ready"); setInterval(() => {}, 1000);';
const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
child.stdout.once('data', () => parentPort.postMessage(child.pid));
parentPort.once('message', () => child.kill('SIGKILL'));
child.once('exit', () => parentPort.close());
`;

it.skipIf(!existsSync('/proc/self/smaps_rollup'))(
  'memory is that of a process and of those that its threads started, and what others map too is known apart',
  async () => {
    const worker = new Worker(STARTER, { eval: true });
    const ended = once(worker, 'exit');
    const [child] = await once(worker, 'message');
    const [all, ofChild] = [memoryOf(process.pid) ?? 0, memoryOf(child) ?? 0];
    const shared = sharedWithOthers(child);
    worker.postMessage('end');
    await ended;
    expect(ofChild).toBeGreaterThan(100);
    expect(all).toBeGreaterThan(ofChild + 20);
    // At least half of what Node's binary has in memory: this process has it, too.
    expect(shared).toBeGreaterThan(10);
    expect(shared).toBeLessThan(200);
  },
);

it('memory of a process that has ended is not known', () => {
  expect(memoryOf(2 ** 22 + 1)).toBeUndefined();
});
