import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { slowPng } from '../support/pictures.ts';
import { ServiceProcess } from '../support/processes/service-process.ts';

const IMAGES = 6;

describe.skipIf(process.platform !== 'linux')(
  'as many images are decoded at a time as there are workers',
  () => {
    const service = new ServiceProcess({ WORKERS: String(IMAGES) });
    afterAll(() => service.end());

    it('also above four, the threads that libuv has by default', async () => {
      const url = await service.ready();
      const image = await slowPng();
      const before = decodingTimes(service.child.pid as number);
      const answers = await Promise.all(
        Array.from({ length: IMAGES }, () =>
          fetch(`${url}/v1/embed`, { method: 'POST', headers: { 'content-type': 'image/png' }, body: image }),
        ),
      );
      expect(answers.map(({ status }) => status)).toEqual(new Array(IMAGES).fill(422));
      const after = decodingTimes(service.child.pid as number);
      const busy = [...after].filter(([id, time]) => time - (before.get(id) ?? 0) >= 0.1);
      // A thread that takes a second image decodes one of another's.
      expect(busy.length).toBeGreaterThan(4);
    });
  },
);

/**
 * Processor time in seconds of the threads that may decode: neither the main thread nor a worker, which has a lower priority.
 * Each image takes 0.2 s.
 */
function decodingTimes(pid: number): Map<string, number> {
  const times = new Map<string, number>();
  for (const id of readdirSync(`/proc/${pid}/task`)) {
    // proc(5), /proc/pid/stat: from field 3 on, after the name in brackets.
    const fields = readFileSync(`/proc/${pid}/task/${id}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    const [user, system, niceness] = [fields[11], fields[12], fields[16]].map(Number);
    if (id !== String(pid) && niceness === 0) times.set(id, ((user ?? 0) + (system ?? 0)) / 100);
  }
  return times;
}
