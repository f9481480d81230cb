import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LogOutput } from '../../src/observability/log-output.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const MIB = 1 << 20;
/** Bytes that a pipe takes. */
const PIPE = 65_536;

/** Both ends of a named pipe; its writing end would wait. */
async function pipe(): Promise<{ input: number; output: number; read: () => string }> {
  const path = join(await temporaryFolder(), 'pipe');
  spawnSync('mkfifo', [path]);
  const input = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const output = openSync(path, constants.O_WRONLY);
  onTestFinished(() => {
    for (const fd of [input, output]) closeSync(fd);
  });
  const read = () => {
    const chunk = Buffer.alloc(PIPE);
    try {
      return chunk.toString('utf8', 0, readSync(input, chunk));
    } catch {
      return '';
    }
  };
  return { input, output, read };
}

const line = (number: number) => `${String(number).padEnd(999, '.')}\n`;

describe('the output of the log', () => {
  it('has written a line when write returns', async () => {
    const { output, read } = await pipe();
    new LogOutput(output).write('one\n');
    expect(read()).toBe('one\n');
  });

  it('writes the other lines of a turn of the event loop together at its end', async () => {
    const { output, read } = await pipe();
    const log = new LogOutput(output);
    for (const text of ['one\n', 'two\n', 'three\n']) log.write(text);
    expect(read()).toBe('one\n');
    await setImmediate();
    expect(read()).toBe('two\nthree\n');
    log.write('four\n');
    expect(read()).toBe('four\n');
  });

  it('loses no line of a turn with more of them than it holds, when they are read', async () => {
    const file = join(await temporaryFolder(), 'file');
    const output = openSync(file, 'a');
    onTestFinished(() => closeSync(output));
    const log = new LogOutput(output);
    for (let i = 0; i < 2_000; i++) log.write(line(i));
    log.flush();
    expect(readFileSync(file, 'utf8')).toBe(Array.from({ length: 2_000 }, (_, i) => line(i)).join(''));
    expect(log.dropped).toBe(0);
  });

  it('never waits for a full pipe, holds a mebibyte, and counts what it drops', async () => {
    const { output } = await pipe();
    const log = new LogOutput(output);
    for (let i = 0; i < 2_000; i++) log.write(line(i));
    const taken = 2_000 - log.dropped;
    expect(taken * 1_000).toBeGreaterThan(MIB);
    expect(taken * 1_000).toBeLessThan(MIB + 2 * PIPE);
    // At the end of the process it waits for a moment, and no longer.
    log.flush(1);
    expect(log.dropped).toBe(2_000 - taken);
  });

  it('writes what it holds in order when the pipe is read, then tells how many lines are missing', async () => {
    const { output, read } = await pipe();
    const log = new LogOutput(output);
    const told: number[] = [];
    log.onResumed = (dropped) => told.push(dropped);
    for (let i = 0; i < 2_000; i++) log.write(line(i));
    let text = '';
    await expect
      .poll(
        () => {
          text += read();
          return told;
        },
        { interval: 1 },
      )
      .toEqual([log.dropped]);
    text += read();
    expect(text).toBe(Array.from({ length: 2_000 - log.dropped }, (_, i) => line(i)).join(''));
    log.write('next\n');
    expect(read()).toBe('next\n');
    expect(told).toHaveLength(1);
  });

  it('writes to a file where it stands, as a shell opens it', async () => {
    const path = join(await temporaryFolder(), 'file');
    writeFileSync(path, 'before\n');
    const file = openSync(path, 'a');
    onTestFinished(() => closeSync(file));
    new LogOutput(file).write('after\n');
    expect(readFileSync(path, 'utf8')).toBe('before\nafter\n');
  });
});
