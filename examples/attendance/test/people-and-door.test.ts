import { setTimeout } from 'node:timers/promises';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { blankPng, blobs, bytesOf } from '../../../test/support/pictures.ts';
import { ServiceProcess } from '../../../test/support/processes/service-process.ts';
import { purge } from '../src/audit.ts';
import { storeTemplate } from '../src/templates.ts';
import { TestBackend, TOKENS } from './backend.ts';
import { DATABASES, type OpenDatabase } from './databases.ts';
import { rowsNaming, TABLES } from './tables.ts';

/** What the synthetic pack needs: it sees a face in each picture, and has no rates, so a threshold decides. */
const SYNTHETIC = { MIN_ENROL_QUALITY: '0', MIN_DOOR_QUALITY: '0', THRESHOLD: '0.3' };

/** Photographs of one "person": one motif in several sizes. */
const photographs = (seed: number, widths: readonly number[] = [320, 328, 336]) =>
  Promise.all(widths.map(async (width) => bytesOf(await blobs(seed, width, 240).png().toBuffer())));
const another = async (seed: number) => (await photographs(seed, [324]))[0] as Uint8Array<ArrayBuffer>;

let service: ServiceProcess;
/** The same model with an embedding key: another embedding space. */
let changed: ServiceProcess;
let url: string;
let changedUrl: string;

beforeAll(async () => {
  service = new ServiceProcess();
  changed = new ServiceProcess({ EMBEDDING_KEY: `second=${'0123456789abcdef'.repeat(4)}` });
  [url, changedUrl] = await Promise.all([service.ready(), changed.ready()]);
});
afterAll(() => Promise.all([service?.end(), changed?.end()]));

describe.each(DATABASES)('with $kind', ({ open }) => {
  let opened: OpenDatabase;
  let test: TestBackend;
  const withSettings = (settings: Record<string, string>, urls = [url]) =>
    new TestBackend(opened.database, urls, { ...SYNTHETIC, ...settings });
  const count = async (table: string) =>
    (await opened.database.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`))[0]?.count;

  beforeAll(async () => {
    opened = await open();
  });
  afterAll(() => opened?.close());
  beforeEach(async () => {
    await opened.database.script(`TRUNCATE ${TABLES.join()}`);
    test = withSettings({});
  });

  it('enrols somebody who agreed, and shows the quality of each photograph', async () => {
    const { status, body } = await test.enrol('Anna', await photographs(1));
    expect(status).toBe(201);
    const quality = expect.objectContaining({ score: expect.any(Number) });
    expect(body.photographs).toEqual([0, 1, 2].map((index) => ({ index, used: true, quality })));
    const people = await test.admin('GET', '/people');
    const person = { id: body.id, name: 'Anna', consent: '1', recorded_by: 'Reception', faces: 3 };
    expect(people.body).toMatchObject([{ ...person, spaces: [expect.stringMatching(/^synthetic:/)] }]);
  });

  it('keeps no photograph: of each, the aligned face only, and none if that is not wanted', async () => {
    await test.enrol('Anna', await photographs(1));
    const faces = await opened.database.query<{ image: Uint8Array }>('SELECT image FROM faces');
    const sizes = await Promise.all(faces.map(async ({ image }) => (await sharp(image).metadata()).width));
    expect(sizes).toEqual([112, 112, 112]);
    await withSettings({ STORE_FACES: 'false' }).enrol('Ben', await photographs(2));
    expect([await count('people'), await count('templates'), await count('faces')]).toEqual([2, 2, 3]);
  });

  it.each([
    ['too few photographs', 2, {}, 422, 'PHOTOGRAPHS_REFUSED'],
    ['too many photographs', 6, {}, 422, 'PHOTOGRAPHS_REFUSED'],
    ['consent to another text', 3, { consent: '0' }, 422, 'CONSENT_MISSING'],
    ['no consent', 3, { consent: '' }, 400, 'INVALID_REQUEST'],
    ['no name', 3, { name: ' ' }, 400, 'INVALID_REQUEST'],
    ['a name of 201 letters', 3, { name: 'x'.repeat(201) }, 400, 'INVALID_REQUEST'],
    ['a null character', 3, { recorded_by: 'A\0' }, 400, 'INVALID_REQUEST'],
  ])('refuses %s and stores nothing', async (_, number, members, status, code) => {
    const widths = Array.from({ length: number }, (_, index) => 320 + 2 * index);
    const answer = await test.enrol('Anna', await photographs(1, widths), members);
    expect(answer).toMatchObject({ status, body: { error_code: code } });
    for (const table of TABLES) expect([table, await count(table)]).toEqual([table, 0]);
  });

  it('refuses a body that is no form', async () => {
    const answer = await test.admin('POST', '/people', '{}');
    expect(answer).toMatchObject({ status: 400, body: { error_code: 'INVALID_REQUEST' } });
  });

  it('says what is wrong with each photograph', async () => {
    const [first, second] = (await photographs(1)) as [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>];
    const { status, body } = await test.enrol('Anna', [first, await blankPng(), second]);
    expect(status).toBe(422);
    expect(body.photographs).toMatchObject([
      { used: true },
      { used: false, error_code: 'NO_FACE_DETECTED' },
      { used: true },
    ]);
    const strict = await withSettings({ MIN_ENROL_QUALITY: '1' }).enrol('Anna', await photographs(1));
    const low = {
      used: false,
      error_code: 'LOW_QUALITY',
      reasons: expect.arrayContaining([expect.any(String)]),
    };
    expect(strict.body.photographs).toMatchObject([low, low, low]);
  });

  it("leaves out somebody else's photograph, and stores nothing of it", async () => {
    const answer = await test.enrol('Anna', [...(await photographs(1)), await another(2)]);
    expect(answer.status).toBe(201);
    expect(answer.body.photographs[3]).toMatchObject({ used: false, error_code: 'ANOTHER_PERSON' });
    expect(await count('faces')).toBe(3);
    expect(await test.door(await another(2))).toMatchObject({ status: 200, body: { recognised: false } });
  });

  it('recognises who is enrolled, and nobody else', async () => {
    expect(await test.door(await another(1))).toMatchObject({ status: 200, body: { recognised: false } });
    const anna = await test.enrol('Anna', await photographs(1));
    await test.enrol('Ben', await photographs(2));
    const { status, body } = await test.door(await another(1));
    expect({ status, body }).toEqual({
      status: 200,
      body: { recognised: true, person: { id: anna.body.id, name: 'Anna' } },
    });
    expect(await test.door(await another(3))).toMatchObject({ status: 200, body: { recognised: false } });
  });

  it('tells the door what the service says about a picture', async () => {
    const text = bytesOf(Buffer.from('no picture'));
    expect(await test.door(text)).toMatchObject({ status: 415, body: { error_code: 'UNSUPPORTED_FORMAT' } });
    const blank = await test.door(await blankPng());
    expect(blank).toMatchObject({ status: 422, body: { error_code: 'NO_FACE_DETECTED', detail: '0 faces' } });
    const strict = await withSettings({ MIN_DOOR_QUALITY: '1' }).door(await another(1));
    expect(strict).toMatchObject({
      status: 422,
      body: { error_code: 'LOW_QUALITY', reasons: expect.any(Array) },
    });
  });

  it('names nobody where no rates are measured', async () => {
    await test.enrol('Anna', await photographs(1));
    const answer = await withSettings({ THRESHOLD: '' }).door(await another(1));
    expect(answer).toMatchObject({ status: 503, body: { error_code: 'RATE_NOT_MEASURED' } });
    expect(answer.body.detail).toContain('npm run calibrate');
  });

  it('deletes somebody with all that is theirs', async () => {
    const anna = await test.enrol('Anna', await photographs(1));
    await test.enrol('Ben', await photographs(2));
    await test.door(await another(1));
    const { id } = anna.body;
    const tables = async () => [
      ...new Set((await rowsNaming(opened.database, id)).map(({ table }) => table)),
    ];
    expect(await tables()).toEqual(['audit', 'consents', 'faces', 'people', 'templates']);
    expect((await test.admin('DELETE', `/people/${id}`)).status).toBe(204);
    expect(await tables()).toEqual(['audit']);
    expect(await rowsNaming(opened.database, 'Anna')).toEqual([]);
    expect([await count('people'), await count('templates'), await count('faces')]).toEqual([1, 1, 3]);
    expect(await test.door(await another(1))).toMatchObject({ status: 200, body: { recognised: false } });
    expect((await test.admin('DELETE', `/people/${id}`)).status).toBe(404);
  });

  it('brings nothing back of somebody who is deleted while a template is made', async () => {
    const { database } = opened;
    const anna = await test.enrol('Anna', await photographs(1));
    const template = { space: 'new', embedding: Float32Array.of(1, 2, 3), used: [0, 1, 2] };
    let storing: Promise<void> | undefined;
    await database.transaction(async (sql) => {
      await sql.query('DELETE FROM people WHERE id = $1', [anna.body.id]);
      storing = storeTemplate(database, anna.body.id, template);
      // Its failure is expected below.
      storing.catch(() => {});
      await setTimeout(300);
    });
    await storing;
    expect(await count('templates')).toBe(0);
  });

  it('logs what was done, without biometrics and names', async () => {
    const anna = await test.enrol('Anna', await photographs(1));
    await test.door(await another(1));
    await test.door(await another(3));
    await test.admin('DELETE', `/people/${anna.body.id}`);
    const { body } = await test.admin('GET', '/audit');
    const space = expect.stringMatching(/^synthetic:/);
    const person_id = anna.body.id;
    const at = expect.any(String);
    expect(body).toEqual([
      { at, actor: 'admin', action: 'deleted', person_id, detail: {} },
      { at, actor: 'door', action: 'not recognised', person_id: null, detail: { space, enrolled: 1 } },
      { at, actor: 'door', action: 'recognised', person_id, detail: { space, enrolled: 1 } },
      { at, actor: 'Reception', action: 'enrolled', person_id, detail: { consent: '1', photographs: 3 } },
    ]);
  });

  it('forgets old audit entries', async () => {
    await opened.database.script(`INSERT INTO audit (at, actor, action, detail)
      VALUES (now() - interval '91 days', 'admin', 'old', '{}'), (now() - interval '89 days', 'admin', 'new', '{}')`);
    await purge(opened.database, 90);
    expect((await test.admin('GET', '/audit')).body).toMatchObject([{ action: 'new' }]);
  });

  it('stores nothing of somebody who was deleted meanwhile', async () => {
    const template = { space: 'a:1', embedding: new Float32Array([0.6, 0.8]), used: [0] };
    await storeTemplate(opened.database, '00000000-0000-0000-0000-000000000000', template);
    expect(await count('templates')).toBe(0);
  });

  it('changes the model without photographs', async () => {
    const anna = await test.enrol('Anna', await photographs(1));
    const without = await withSettings({ STORE_FACES: 'false' }).enrol('Ben', await photographs(2));

    // The new service first, and the previous one: it is searched where everybody is.
    const both = withSettings({}, [changedUrl, url]);
    const welcome = { status: 200, body: { recognised: true, person: { id: anna.body.id } } };
    expect(await both.door(await another(1))).toMatchObject(welcome);
    // A service that is down does not close the door while the other one knows everybody.
    for (const urls of [
      ['http://127.0.0.1:1', url],
      [url, 'http://127.0.0.1:1'],
    ])
      expect(await withSettings({}, urls).door(await another(1))).toMatchObject(welcome);
    const incomplete = await withSettings({}, [changedUrl]).door(await another(1));
    expect(incomplete).toMatchObject({
      status: 503,
      retryAfter: '60',
      body: { error_code: 'MIGRATION_INCOMPLETE', detail: expect.stringMatching(/^0 of 2 people have/) },
    });
    // Who comes now is known in both spaces.
    await both.enrol('Cleo', await photographs(3));
    expect(await count('templates')).toBe(4);
    expect(await both.door(await another(3))).toMatchObject({ body: { person: { name: 'Cleo' } } });

    const { body } = await both.admin('POST', '/migration');
    expect(body).toEqual({
      space: expect.stringContaining(':k-second'),
      migrated: 1,
      failed: [without.body.id],
    });
    // Of Ben there is no face to embed: he is enrolled anew.
    await both.admin('DELETE', `/people/${without.body.id}`);
    await both.enrol('Ben', await photographs(2));
    const after = withSettings({}, [changedUrl]);
    expect((await after.admin('POST', '/migration')).body).toMatchObject({ migrated: 0, failed: [] });
    expect(await after.door(await another(1))).toMatchObject(welcome);
    const spaces = await opened.database.query('SELECT DISTINCT space FROM templates');
    expect(spaces).toEqual([{ space: body.space }]);
  });

  it('asks for the right token', async () => {
    const admin = [
      ['GET', '/people'],
      ['POST', '/people'],
      ['DELETE', '/people/00000000-0000-0000-0000-000000000000'],
      ['POST', '/migration'],
      ['GET', '/audit'],
    ] as const;
    for (const [method, path] of admin) {
      for (const token of [undefined, 'wrong', TOKENS.DOOR_TOKEN]) {
        const { status, body } = await test.call(method, path, token);
        expect([path, token, status, body.error_code]).toEqual([path, token, 401, 'UNAUTHORIZED']);
      }
    }
    expect((await test.call('POST', '/door', TOKENS.ADMIN_TOKEN, await another(1))).status).toBe(401);
  });

  it.each(['/door', '/people', '/audit', '/', '/nothing'])(
    'reads no body at %s without a token',
    async (path) => {
      let pulled = 0;
      const pull = (controller: ReadableStreamDefaultController) => {
        controller.enqueue(new Uint8Array(1 << 20));
        if (++pulled === 60) controller.close();
      };
      await test.call('POST', path, undefined, new ReadableStream({ pull }));
      expect(pulled).toBeLessThan(3);
    },
  );
});

it.runIf(process.env.REQUIRE_POSTGRES)('PostgreSQL with pgvector is at hand', () => {
  expect(DATABASES.map(({ kind }) => kind)).toContain('PostgreSQL');
});
