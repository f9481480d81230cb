import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { blobsPng } from '../../../test/support/pictures.ts';
import { spawnChild } from '../../../test/support/processes/child-process.ts';
import { freePort } from '../../../test/support/processes/free-port.ts';
import { ServiceProcess } from '../../../test/support/processes/service-process.ts';
import { readSettings } from '../src/settings.ts';
import { TestBackend, TOKENS } from './backend.ts';
import { DATABASES, type OpenDatabase, openPglite } from './databases.ts';

const FOLDER = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(join(FOLDER, 'README.md'), 'utf8');

describe.each(DATABASES)('the search with $kind', ({ open }) => {
  let opened: OpenDatabase;
  beforeAll(async () => {
    opened = await open();
  });
  afterAll(() => opened?.close());

  it('goes through the index of the space, and finds the nearest', async () => {
    const { database } = opened;
    await database.query(`SELECT setseed(0.5)`);
    await database.query(`INSERT INTO people (name) SELECT 'person ' || i FROM generate_series(1, 500) AS i`);
    await database.query(`SELECT index_space('a:1', 8), index_space('it''s', 4)`);
    const random = (size: number) =>
      `(SELECT array_agg(random() - 0.5) FROM generate_series(1, ${size}) WHERE id IS NOT NULL)`;
    for (const [space, size] of [
      ['a:1', 8],
      ["it's", 4],
    ] as const) {
      const insert = `INSERT INTO templates SELECT id, $1, ${random(size)}::vector, 1 FROM people`;
      await database.query(insert, [space]);
    }
    const search = `SELECT person_id FROM templates WHERE space = 'a:1'
      ORDER BY embedding::vector(8) <=> '[1,2,3,4,-1,-2,-3,-4]'::vector(8) LIMIT 5`;
    const [plan, nearest] = await database.transaction(async (sql) => {
      await sql.query('SET LOCAL enable_seqscan = off');
      await sql.query('SET LOCAL enable_bitmapscan = off');
      await sql.query(`SELECT set_config('hnsw.ef_search', '100', true)`);
      return [await sql.query(`EXPLAIN ${search}`), await sql.query(search)];
    });
    expect(JSON.stringify(plan)).toMatch(/Index Scan using templates_[0-9a-f]{32}/);
    const exact = await database.transaction(async (sql) => {
      await sql.query('SET LOCAL enable_indexscan = off');
      return sql.query(search);
    });
    expect(exact.length).toBe(5);
    expect(nearest).toEqual(exact);
  });
});

describe('a service that', () => {
  let opened: OpenDatabase;
  beforeAll(async () => {
    opened = await openPglite();
  });
  afterAll(() => opened?.close());

  it('is too busy is reported with the time to wait', async () => {
    // Not even one request a second, and longer to wait than the call has.
    const service = new ServiceProcess({ RATE_LIMIT_PER_KEY: '0.01' });
    const test = new TestBackend(opened.database, [await service.ready()], {
      THRESHOLD: '0.3',
      MIN_DOOR_QUALITY: '0',
    });
    const answer = await test.door(await blobsPng(1));
    expect(answer).toMatchObject({ status: 503, body: { error_code: 'RATE_LIMITED' } });
    expect(Number(answer.retryAfter)).toBeGreaterThan(1);
    await service.end();
  });

  it('refuses our key is our fault, of which the caller is told no more', async () => {
    const service = new ServiceProcess({ API_KEYS: 'other=0123456789abcdef0123456789abcdef' });
    const test = new TestBackend(opened.database, [await service.ready()]);
    const { status, body } = await test.door(await blobsPng(1));
    expect({ status, body }).toEqual({
      status: 502,
      body: { error: expect.any(String), error_code: 'FACE_SERVICE_FAILED', request_id: expect.any(String) },
    });
    await service.end();
  });
});

describe('npm start', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'attendance-'));
  let service: ServiceProcess;
  let FACE_URL: string;
  beforeAll(async () => {
    service = new ServiceProcess();
    FACE_URL = await service.ready();
  });
  afterAll(async () => {
    await service?.end();
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function start(
    environment: Record<string, string>,
  ): Promise<{ url: string; stop: () => Promise<void> }> {
    const port = await freePort();
    const env = {
      PATH: process.env.PATH,
      ...TOKENS,
      FACE_URL,
      PORT: String(port),
      DATA_DIR: join(dataDir, 'data'),
      ...environment,
    };
    const program = join(FOLDER, 'dist/main.js');
    const stdio = ['ignore', 'pipe', 'pipe'] as const;
    const child = spawnChild(process.execPath, [program], { cwd: dataDir, env, stdio: [...stdio] });
    child.stderr?.pipe(process.stderr);
    const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`It ended with ${code}.`)));
    await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), ended]);
    ended.catch(() => {});
    const stop = async () => {
      child.kill('SIGTERM');
      const [code] = await once(child, 'exit');
      expect(code).toBe(0);
    };
    return { url: `http://127.0.0.1:${port}`, stop };
  }

  it('answers the commands of README.md', async () => {
    const settings = { THRESHOLD: '0.3', MIN_ENROL_QUALITY: '0', MIN_DOOR_QUALITY: '0' };
    const { url, stop } = await start({
      DATA_DIR: 'memory://',
      ...settings,
    });
    const folder = mkdtempSync(join(dataDir, 'commands-'));
    for (const name of ['anna-1', 'anna-2', 'anna-3', 'door'])
      writeFileSync(join(folder, `${name}.jpg`), await blobsPng(1));
    const [, commands = ''] = /^```sh\n(url=http:\/\/localhost:3000\n[^`]+)```$/m.exec(readme) ?? [];
    const script = commands.replace('http://localhost:3000', url).replaceAll('curl ', 'curl -sSf ');
    const { stdout, stderr } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], {
      cwd: folder,
      env: { ...process.env, ...TOKENS },
    });
    expect(stderr).toBe('');
    expect(stdout).toContain('"recognised":true,"person":{"id":');
    expect(stdout).toContain('"action":"deleted"');
    await stop();
  });

  it('needs nothing but Node and the service, and keeps what it has', async () => {
    const environment = {
      THRESHOLD: '0.3',
      MIN_PHOTOS: '1',
      MIN_ENROL_QUALITY: '0',
    };
    const first = await start(environment);
    const page = await fetch(first.url);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(await page.text()).not.toMatch(/<script(?![^>]* src=)|<style|\son\w+=|\sstyle=/);
    expect((await fetch(`${first.url}/page.js`)).headers.get('content-type')).toContain('javascript');
    for (const path of ['/package.json', '/..%2fpackage.json', '/../schema.sql'])
      expect([path, (await fetch(first.url + path)).status]).toEqual([path, 404]);
    const form = new FormData();
    for (const [name, value] of Object.entries({ name: 'Anna', consent: '1', recorded_by: 'Reception' }))
      form.append(name, value);
    form.append('photograph', new Blob([await blobsPng(1)]), 'photograph.png');
    const headers = { Authorization: `Bearer ${TOKENS.ADMIN_TOKEN}` };
    expect((await fetch(`${first.url}/people`, { method: 'POST', headers, body: form })).status).toBe(201);
    await first.stop();

    const second = await start(environment);
    expect(await (await fetch(`${second.url}/people`, { headers })).json()).toMatchObject([{ name: 'Anna' }]);
    expect((await fetch(`${second.url}/healthz`)).status).toBe(200);
    await second.stop();
  });
});

it('README.md links to what is there', () => {
  const links = [...readme.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, link]) => link as string);
  expect(links.length).toBeGreaterThan(10);
  expect(links.filter((link) => !existsSync(join(FOLDER, link)))).toEqual([]);
});

it('the code has fewer than 600 lines, without comments and empty lines', () => {
  const files = ['src', 'public'].flatMap((folder) =>
    readdirSync(join(FOLDER, folder)).map((name) => join(folder, name)),
  );
  const lines = [...files, 'schema.sql'].flatMap((file) =>
    readFileSync(join(FOLDER, file), 'utf8').split('\n'),
  );
  expect(lines.filter((line) => !/^\s*(\/\/|\/\*|\*|--|$)/.test(line)).length).toBeLessThan(600);
});

describe('the settings', () => {
  it('are all in README.md', () => {
    const named = [
      ...readFileSync(join(FOLDER, 'src/settings.ts'), 'utf8').matchAll(/'([A-Z]+(?:_[A-Z]+)*)'/g),
    ].map(([, name]) => name);
    expect(named.length).toBeGreaterThan(15);
    const table = [...readme.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name);
    expect(table.toSorted()).toEqual([...new Set(named)].toSorted());
  });

  it('can be set in docker-compose.yml', () => {
    const { services } = parse(readFileSync(join(FOLDER, 'docker-compose.yml'), 'utf8'));
    const { environment, depends_on } = services.attendance;
    const own = ['HOST', 'PORT', 'DATA_DIR'];
    const all = [...readme.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name as string);
    expect(Object.keys(environment).toSorted()).toEqual(all.filter((name) => !own.includes(name)).toSorted());
    expect(Object.keys(services)).toEqual(expect.arrayContaining(Object.keys(depends_on)));
    for (const name of ['DATABASE_URL', 'FACE_URL'])
      expect(Object.keys(services)).toContain(new URL(environment[name].replace(/\$\{.*?\}/, 'x')).hostname);
  });

  it.each([
    [{ ADMIN_TOKEN: '' }, 'ADMIN_TOKEN must be set'],
    [{ DOOR_TOKEN: TOKENS.ADMIN_TOKEN }, 'must differ'],
    [{ MAX_FPIR: '2' }, 'MAX_FPIR must be a number from'],
    [{ MIN_PHOTOS: 'three' }, 'MIN_PHOTOS must be a number from 1 to 5'],
  ])('refuse %j', (environment, message) => {
    expect(() => readSettings({ ...TOKENS, ...environment })).toThrow(message);
  });
});
