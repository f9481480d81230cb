import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeBlocks } from '../../documents/documents.ts';
import { createReaderFolder } from '../../documents/reader-folder.ts';
import { blobsPng } from '../../support/pictures.ts';
import { spawnChild } from '../../support/processes/child-process.ts';
import { ServiceProcess } from '../../support/processes/service-process.ts';
import { ROOT } from '../../support/shared.ts';

const SOURCE = join(ROOT, 'clients/typescript');
const COMPILER = join(ROOT, 'node_modules/typescript/bin/tsc');
const examples = codeBlocks('clients/typescript/README.md').filter(({ language }) => language === 'ts');

/** Debian's Chromium, or another. */
const chromium = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync(name, ['--version'], { timeout: 30_000 }).status === 0,
);
const note = chromium ? '' : ' (skipped: no Chromium on this machine)';

const otherRuntimes = [
  { name: 'bun', options: [] },
  { name: 'deno', options: ['run', '-A', '--node-modules-dir=manual'] },
].map((runtime) => {
  const isThere = spawnSync(runtime.name, ['--version'], { timeout: 30_000 }).status === 0;
  return { ...runtime, isThere, note: isThere ? '' : ' (skipped: it is not on this machine)' };
});

let service: ServiceProcess;
let address: string;
/** A project that has installed the packed file. */
let project: string;
let files: string[];

const run = (command: string, args: string[], cwd: string) => {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: 120_000 });
  expect(status, stdout + stderr).toBe(0);
  return stdout;
};

beforeAll(async () => {
  service = new ServiceProcess({ CORS_ENABLED: 'true', CORS_ORIGINS: '*' });
  project = await createReaderFolder();
  rmSync(join(project, 'package.json'));
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');

  // Packed from a copy, so that nothing is written into the repository.
  const copy = mkdtempSync(join(tmpdir(), 'client-'));
  for (const name of ['src', 'package.json', 'tsconfig.json', 'README.md', 'LICENSE'])
    cpSync(join(SOURCE, name), join(copy, name), { recursive: true });
  run(process.execPath, [COMPILER, '-p', copy], ROOT);
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts'], copy));
  files = packed.files.map(({ path }: { path: string }) => path);
  const installed = join(project, 'node_modules/face-embedding-client');
  mkdirSync(installed, { recursive: true });
  run('tar', ['-xzf', join(copy, packed.filename), '-C', installed, '--strip-components=1'], copy);
  rmSync(copy, { recursive: true });
  address = await service.ready();
});

afterAll(async () => {
  rmSync(project, { recursive: true, force: true });
  await service.end();
});

describe('the packed client', () => {
  it('has what is compiled, its types and its README, and no dependency', () => {
    expect(files.filter((path) => !path.startsWith('dist/')).sort()).toEqual([
      'LICENSE',
      'README.md',
      'package.json',
    ]);
    expect(files).toEqual(expect.arrayContaining(['dist/index.js', 'dist/index.d.ts']));
    const manifest = JSON.parse(
      readFileSync(join(project, 'node_modules/face-embedding-client/package.json'), 'utf8'),
    );
    expect(manifest).not.toHaveProperty('dependencies');
  });

  it('has five examples, which compile as its users compile them', () => {
    expect(examples).toHaveLength(5);
    for (const [index, { text }] of examples.entries())
      writeFileSync(join(project, `example-${index}.ts`), text.replaceAll('http://localhost:8000', address));
    mkdirSync(join(project, 'node_modules/@types'));
    for (const name of ['@types/node', 'undici-types'])
      symlinkSync(join(ROOT, 'node_modules', name), join(project, 'node_modules', name));
    const options = [
      '--strict',
      '--exactOptionalPropertyTypes',
      '--module',
      'nodenext',
      '--target',
      'es2022',
    ];
    const names = examples.map((_, index) => `example-${index}.ts`);
    run(process.execPath, [COMPILER, ...options, '--types', 'node', '--ignoreConfig', ...names], project);
    expect(readdirSync(project)).toContain('example-4.js');
  });

  it.each([
    [0, /^true 512 synthetic:\w+ [\d.]+$/m],
    [1, /^INVALID_IMAGE|UNSUPPORTED_FORMAT$/m],
    [2, /^empty-room\.jpg NO_FACE_DETECTED$/m],
    [3, /^(anna|ben) [\d.e-]+ (true|false)$/m],
    [4, /^AbortError\nhealthy synthetic:\w+ \d+ closed$/m],
  ])('runs example %i', (index, output) => {
    expect(run(process.execPath, [`example-${index}.js`], project)).toMatch(output);
  });

  for (const { name, options, isThere, note: why } of otherRuntimes) {
    it.skipIf(!isThere)(`runs its examples in ${name}${why}`, () => {
      expect(run(name, [...options, 'example-0.js'], project)).toMatch(/^true 512 synthetic:/m);
      expect(run(name, [...options, 'example-2.js'], project)).toContain('empty-room.jpg NO_FACE_DETECTED');
    });
  }

  it.skipIf(!chromium)(`works in a browser${note}`, async () => {
    const picture = Buffer.from(await blobsPng(1)).toString('base64');
    const page = `<!doctype html><script type="importmap">
      {"imports": {"face-embedding-client": "/node_modules/face-embedding-client/dist/index.js"}}</script>
      <script type="module">
        const report = (result) => fetch('/result', { method: 'POST', body: JSON.stringify(result) });
        try {
          const { FaceEmbeddingClient } = await import('face-embedding-client');
          const client = new FaceEmbeddingClient({ url: '${address}' });
          const bytes = Uint8Array.from(atob('${picture}'), (character) => character.charCodeAt(0));
          const file = new File([bytes], 'a.png');
          const { embedding } = await client.embed(file);
          const many = [];
          for await (const result of client.embedMany([file, new Blob(['no image'])])) many.push(result);
          const { best_match } = await client.compare({
            query_image: file, reference_embeddings: [{ id: 'same', embedding }],
          });
          const path = await client.embed('face.jpg').catch(({ code }) => code);
          await report({
            length: embedding.length, many: many.map((result) => result.error?.code ?? result.embedding.length),
            id: best_match.id, path, health: await client.health(),
          });
        } catch (error) { await report({ failed: String(error.stack) }); }
      </script>`;
    const reported = await openInBrowser(page);
    expect(reported).toEqual({
      length: 512,
      many: [512, 'UNSUPPORTED_FORMAT'],
      id: 'same',
      path: 'UNREADABLE_IMAGE',
      health: { status: 'healthy', model_loaded: true, model_name: 'synthetic' },
    });
  });
});

/** Opens a page of another origin than the service's; returns what it posts to /result. */
async function openInBrowser(page: string): Promise<unknown> {
  let report: (result: unknown) => void = () => {};
  const reported = new Promise((resolve) => {
    report = resolve;
  });
  const server = createServer(async (request, response) => {
    const path = request.url ?? '/';
    if (request.method === 'POST') {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part);
      report(JSON.parse(Buffer.concat(parts).toString()));
      response.end();
    } else if (path.startsWith('/node_modules/')) {
      response.setHeader('Content-Type', 'text/javascript').end(readFileSync(join(project, path)));
    } else {
      response.setHeader('Content-Type', 'text/html').end(page);
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const profile = mkdtempSync(join(tmpdir(), 'chromium-'));
  const options = [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--no-first-run',
  ];
  const browser = spawnChild(chromium as string, [...options, `--user-data-dir=${profile}`, url], {
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => browser.once('exit', (code) => resolve({ ended: code })));
  try {
    return await Promise.race([reported, ended]);
  } finally {
    browser.kill('SIGKILL');
    await ended;
    server.closeAllConnections();
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
