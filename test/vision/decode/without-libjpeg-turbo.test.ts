import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { blobs, bytesOf } from '../../support/pictures.ts';
import { ServiceProcess } from '../../support/processes/service-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'face-embedding-'));
let service: ServiceProcess;
afterEach(async () => {
  await service.end();
  rmSync(folder, { recursive: true, force: true });
});

const WARNING = 'libjpeg-turbo could not be loaded';
const warnings = () => service.stdout.split(WARNING).length - 1;

async function answer(): Promise<unknown> {
  const body = bytesOf(await blobs(1).jpeg().toBuffer());
  const url = `${await service.ready()}/v1/embed?faces=all`;
  const response = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'image/jpeg' }, body });
  expect(response.status).toBe(200);
  const { request_id: _, ...rest } = (await response.json()) as Record<string, unknown>;
  return rest;
}

it('where libjpeg-turbo is missing, answers are the same, and the log says so once', async () => {
  service = new ServiceProcess({ WORKERS: '2' });
  const usual = await answer();
  expect(warnings()).toBe(0);
  await service.end();
  const hook = join(folder, 'missing.cjs');
  writeFileSync(
    hook,
    `const module_ = require('node:module');
     const resolve = module_._resolveFilename;
     module_._resolveFilename = (name, ...rest) => {
       if (name === 'koffi') throw new Error('There is no koffi.');
       return resolve(name, ...rest);
     };`,
  );
  service = new ServiceProcess({ WORKERS: '2', NODE_OPTIONS: `--require ${hook}` });
  expect(await answer()).toEqual(usual);
  expect(warnings()).toBe(1);
});
