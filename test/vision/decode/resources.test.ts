import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { slowPng } from '../../support/pictures.ts';
import { ServiceProcess } from '../../support/processes/service-process.ts';

/** 36 megapixels, which libvips by default decodes into a file. */
let largeWebp: Buffer;

beforeAll(async () => {
  const grey = { width: 6000, height: 6000, channels: 3, background: 'grey' } as const;
  largeWebp = await sharp({ create: grey }).webp({ effort: 0 }).toBuffer();
});

/** @returns the code of the error. */
async function errorOf(url: string, type: string, body: Uint8Array): Promise<string> {
  const answer = await fetch(`${url}/v1/embed`, {
    method: 'POST',
    headers: { 'content-type': type },
    body: new Uint8Array(body),
  });
  return ((await answer.json()) as { error_code: string }).error_code;
}

const canRun = (command: string, ...options: string[]) => spawnSync(command, options).status === 0;

describe('no pixel leaves memory', () => {
  it('a large picture is decoded where there is no folder for temporary files', async () => {
    const service = new ServiceProcess({ TMPDIR: '/nonexistent' });
    try {
      expect(await errorOf(await service.ready(), 'image/webp', largeWebp)).toBe('NO_FACE_DETECTED');
    } finally {
      await service.end();
    }
  });

  it.skipIf(!canRun('strace', '-o', '/dev/null', 'true'))('no file is opened for writing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'decode-'));
    const trace = join(folder, 'trace');
    const wrapper = ['strace', '-D', '-f', '-o', trace, '-e', 'trace=open,openat,creat,memfd_create'];
    const service = new ServiceProcess({ TMPDIR: folder }, {}, undefined, wrapper);
    try {
      expect(await errorOf(await service.ready(), 'image/webp', largeWebp)).toBe('NO_FACE_DETECTED');
    } finally {
      await service.end();
    }
    const calls = readFileSync(trace, 'utf8').split('\n');
    // It did trace the service.
    expect(calls.some((call) => call.includes('dist/main'))).toBe(true);
    const writing = /O_WRONLY|O_RDWR|O_CREAT|O_TMPFILE|creat\(|memfd_create\(/;
    expect(calls.filter((call) => writing.test(call) && !/"\/(dev|proc)\//.test(call))).toEqual([]);
    expect(readdirSync(folder)).toEqual(['trace']);
    rmSync(folder, { recursive: true });
  });
});

describe.skipIf(!canRun('prlimit', '--version'))('a machine without memory', () => {
  it('is not blamed on the picture, and the cause is logged', async () => {
    const service = new ServiceProcess();
    try {
      const url = await service.ready();
      const image = await slowPng();
      expect(await errorOf(url, 'image/png', image)).toBe('NO_FACE_DETECTED');
      const { pid } = service.child;
      const limit = (bytes: number | 'unlimited') =>
        spawnSync('prlimit', [`--as=${bytes}:unlimited`, '--pid', String(pid)]);
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      const used = Number(/^VmSize:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
      // Its 49 megapixels take 147 MB.
      limit(used + 100_000_000);
      expect(await errorOf(url, 'image/png', image)).toBe('PROCESSING_ERROR');
      limit('unlimited');
      expect(await errorOf(url, 'image/png', image)).toBe('NO_FACE_DETECTED');
      expect(service.stdout).toContain('There is no memory to decode an image of this size.');
      expect(service.stdout).not.toContain('vips');
    } finally {
      await service.end();
    }
  });
});
