import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { ServiceProcess } from '../support/processes/service-process.ts';

/** Above libuv's default of four threads, so that a pool of the default size does not pass. */
const MANY_WORKERS = 6;

describe.skipIf(process.platform !== 'linux')('images are decoded by a thread for each worker', () => {
  let service: ServiceProcess;
  afterEach(() => service.end());

  const threadsWith = async (workers: number) => {
    service = new ServiceProcess({ WORKERS: String(workers) });
    await service.ready();
    const count = threadsOfUsualPriority(service.child.pid as number);
    await service.end();
    return count;
  };

  it('also above four, the threads that libuv has by default', async () => {
    const one = await threadsWith(1);
    expect(await threadsWith(MANY_WORKERS)).toBe(one + MANY_WORKERS - 1);
  });
});

/**
 * Threads that may decode: libuv's pool, and as many of V8 and the main thread as there always are. Workers and the threads of
 * their sessions are not counted, since they have a lower priority.
 */
function threadsOfUsualPriority(pid: number): number {
  const niceness = (id: string) =>
    // proc(5), /proc/pid/stat: field 19; the second one, a name in brackets, may contain spaces.
    readFileSync(`/proc/${pid}/task/${id}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[16];
  return readdirSync(`/proc/${pid}/task`).filter((id) => niceness(id) === '0').length;
}
