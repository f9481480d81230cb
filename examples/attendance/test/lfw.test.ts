import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServiceProcess } from '../../../test/support/processes/service-process.ts';
import { FACES, hasOpenWeights, hasRealWeights, MODELS, photo } from '../../../test/support/shared.ts';
import { type Answer, TestBackend } from './backend.ts';
import { DATABASES, type OpenDatabase } from './databases.ts';

const FOLDER = join(FACES, 'lfw');
const PEOPLE = 50;

/** Few people of LFW have three photographs, and the packs have provisional figures only, which are of these photographs. */
const SETTINGS = { MIN_PHOTOS: '1', ALLOW_PROVISIONAL: 'true' };

/** The photographs of each person, most first. Files are named like Abdullah_0002.jpg. */
function readPeople(): [name: string, files: string[]][] {
  const people = new Map<string, string[]>();
  for (const file of existsSync(FOLDER) ? readdirSync(FOLDER).sort() : []) {
    const name = /^(.+)_\d+\.jpg$/.exec(file)?.[1];
    if (name) people.set(name, [...(people.get(name) ?? []), `lfw/${file}`]);
  }
  return [...people].sort(([, one], [, other]) => other.length - one.length);
}

/** The answers of the door, a few at a time. */
async function atTheDoor(test: TestBackend, files: readonly string[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let at = 0; at < files.length; at += 4)
    answers.push(...(await Promise.all(files.slice(at, at + 4).map((file) => test.door(photo(file))))));
  return answers;
}

/** The least count that so many independent trials of this rate exceed in fewer than one case in 40: the end of a 95 % interval. */
function mostOf(trials: number, rate: number): number {
  let probability = (1 - rate) ** trials;
  let sum = probability;
  let count = 0;
  while (sum < 0.975) {
    probability *= ((trials - count) / (count + 1)) * (rate / (1 - rate));
    sum += probability;
    count++;
  }
  return count;
}

describe.runIf(hasRealWeights && hasOpenWeights)('with photographs of LFW', () => {
  let services: ServiceProcess[];
  let sc: string;
  let open: string;
  let opened: OpenDatabase;
  /** Of the enrolled, a photograph that is not enrolled. */
  const enrolled: { name: string; query: string }[] = [];
  let strangers: string[];
  const withSettings = (urls: string[], settings: object = {}) =>
    new TestBackend(opened.database, urls, { ...SETTINGS, ...settings });

  beforeAll(async () => {
    services = ['buffalo_sc_dq', 'open_s'].map(
      (MODEL_NAME) => new ServiceProcess({ MODELS_DIR: MODELS, MODEL_NAME, WORKERS: '2', MAX_QUEUE: '64' }),
    );
    [sc, open] = (await Promise.all(services.map((service) => service.ready()))) as [string, string];
    opened = await (DATABASES.at(-1) as (typeof DATABASES)[number]).open();
    const test = withSettings([sc]);
    const people = readPeople();
    for (const [name, [query, ...others]] of people) {
      if (enrolled.length === PEOPLE || others.length === 0) break;
      const { status } = await test.enrol(name, others.slice(0, 5).map(photo));
      // Of those whom it refuses, because somebody else is in the picture, one would take another one.
      if (status === 201) enrolled.push({ name, query: query as string });
    }
    const names = new Set(enrolled.map(({ name }) => name));
    strangers = people.filter(([name]) => !names.has(name)).map(([, [file]]) => file as string);
  });
  afterAll(async () => {
    await opened?.close();
    await Promise.all((services ?? []).map((service) => service.end()));
  });

  /** How many of the enrolled are recognised as themselves, and which strangers as somebody. */
  async function tryAll(test: TestBackend, strange = strangers, people = enrolled) {
    const answers = await atTheDoor(test, [...people.map(({ query }) => query), ...strange]);
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    for (const { body } of answers)
      if (body.recognised) expect(body.fpir).toBeLessThanOrEqual(test.backend.settings.maxFpir * 1.001);
    return {
      recognised: people.filter(({ name }, index) => answers[index]?.body.person?.name === name).length,
      letIn: strange.filter((_, index) => answers[people.length + index]?.body.recognised),
    };
  }

  it('recognises all of 50 people, and turns strangers away as promised', async () => {
    expect(enrolled.length).toBe(PEOPLE);
    expect(strangers.length).toBeGreaterThan(300);
    const { recognised, letIn } = await tryAll(withSettings([sc], { MAX_FPIR: '0.01' }));
    expect(recognised).toBe(PEOPLE);
    expect(letIn.length).toBeLessThanOrEqual(mostOf(strangers.length, 0.01));

    // A higher rate lets in more of them, and no more than that rate.
    const some = strangers.slice(0, 60);
    const looser = await tryAll(withSettings([sc], { MAX_FPIR: '0.2' }), some, []);
    expect(looser.letIn.length).toBeGreaterThan(letIn.filter((file) => some.includes(file)).length);
    expect(looser.letIn.length).toBeLessThanOrEqual(mostOf(some.length, 0.2));
  });

  it('refuses a rate that the figures cannot show, and says which they can', async () => {
    const query = enrolled[0]?.query as string;
    const { status, body } = await withSettings([sc], { MAX_FPIR: '0.0001' }).door(photo(query));
    expect([status, body.error_code]).toEqual([503, 'RATE_NOT_MEASURED']);
    expect(body.detail).toContain('the lowest is');
    const strict = await withSettings([sc], { ALLOW_PROVISIONAL: '' }).door(photo(query));
    expect(strict.body).toMatchObject({ error_code: 'RATE_NOT_MEASURED' });
  });

  it('goes over to a model that takes faces of another size, without photographs', async () => {
    const both = withSettings([open, sc]);
    const { body } = await both.admin('POST', '/migration');
    expect(body).toMatchObject({ space: expect.stringMatching(/^open_s:/), migrated: PEOPLE, failed: [] });
    const { recognised, letIn } = await tryAll(
      withSettings([open], { MAX_FPIR: '0.05' }),
      strangers.slice(0, 150),
    );
    expect(recognised).toBe(PEOPLE);
    expect(letIn.length).toBeLessThanOrEqual(mostOf(150, 0.05));
  });
});
