import { blobs, bytesOf } from '../../../test/support/pictures.ts';
import { ServiceProcess } from '../../../test/support/processes/service-process.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestBackend } from './backend.ts';
import { DATABASES, type OpenDatabase } from './databases.ts';

/** Photographs of one "person" for the synthetic pack, which sees a face in each picture: one motif in several sizes. */
const photographs = (seed: number, widths = [320, 328, 336]) =>
  Promise.all(widths.map(async (width) => bytesOf(await blobs(seed, width, 240).png().toBuffer())));

it('probe', async () => {
  const service = new ServiceProcess();
  const url = await service.ready();
  const { open } = DATABASES[0]!;
  const { database } = await open();
  const b = new TestBackend(database, [url], { MIN_ENROL_QUALITY: '0', MIN_DOOR_QUALITY: '0', THRESHOLD: '0.3' });
  const a = await b.enrol('Anna', await photographs(1));
  console.log(JSON.stringify(a).slice(0, 1500));
  console.log(JSON.stringify(await b.enrol('Ben', await photographs(2))).slice(0, 300));
  for (const s of [1, 2, 3, 4]) console.log(JSON.stringify(await b.door((await photographs(s, [324]))[0]!)));
  console.log(JSON.stringify(await b.admin('GET', '/people')), JSON.stringify(await b.admin('GET', '/audit')));
  console.log(JSON.stringify(await b.call('GET', '/')).slice(0, 200));
  console.log(JSON.stringify(await b.call('GET', '/healthz')).slice(0, 200), DATABASES.length);
  await service.end();
});
