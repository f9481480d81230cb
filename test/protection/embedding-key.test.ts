import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { StartupError } from '../../src/errors.ts';
import { type EmbeddingKey, readEmbeddingKey } from '../../src/protection/embedding-key.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { OTHER_SECRET, SECRET } from './keys.ts';

const read = (environment: Record<string, string>) => readEmbeddingKey(loadConfig(environment));

async function readFile(text: string) {
  const EMBEDDING_KEY_FILE = join(await temporaryFolder(), 'key');
  await writeFile(EMBEDDING_KEY_FILE, text);
  return read({ EMBEDDING_KEY_FILE });
}

const secretOf = (key: EmbeddingKey | undefined) => key?.secret.export().toString();

describe('EMBEDDING_KEY', () => {
  it('is a name and a secret, and none by default', () => {
    const key = read({ EMBEDDING_KEY: `door-2=${SECRET}` });
    expect(key?.name).toBe('door-2');
    expect(secretOf(key)).toBe(SECRET);
    expect(read({})).toBeUndefined();
  });

  it('may have a secret in base64, with padding', () => {
    const secret = `${Buffer.from(SECRET).toString('base64').replace(/=*$/, '')}==`;
    expect(secretOf(read({ EMBEDDING_KEY: `door=${secret}` }))).toBe(secret);
  });

  it('is not shown when it is printed or written as JSON', () => {
    const key = read({ EMBEDDING_KEY: `door=${SECRET}` });
    expect(inspect(key, { depth: 9, showHidden: true }) + JSON.stringify(key)).not.toContain(
      SECRET.slice(0, 12),
    );
  });

  it.each([
    SECRET,
    `=${SECRET}`,
    `Door=${SECRET}`,
    `a_b=${SECRET}`,
    `${'a'.repeat(33)}=${SECRET}`,
    `plain=${SECRET}`,
    'door=',
    `door=${SECRET.slice(0, 31)}`,
    `door=${SECRET} ${SECRET}`,
    `door=${SECRET}, other=${OTHER_SECRET}`,
    `door=${'abc'.repeat(20)}`,
  ])('that is malformed (%j) fails the start, and is not quoted', (EMBEDDING_KEY) => {
    const start = () => read({ EMBEDDING_KEY });
    expect(start).toThrow(StartupError);
    expect(start).toThrow(/^EMBEDDING_KEY is malformed; accepted is name=secret, /);
    for (const part of [SECRET.slice(0, 12), 'abcabc']) expect(start).not.toThrow(part);
  });
});

describe('EMBEDDING_KEY_FILE', () => {
  it('holds the key in one line, with comments or not', async () => {
    const key = await readFile(`# of the door\n\ndoor=${SECRET}\r\n`);
    expect([key?.name, secretOf(key)]).toEqual(['door', SECRET]);
  });

  it.each([
    [`# none\n`, 'EMBEDDING_KEY_FILE holds no key; accepted is at least one.'],
    [`door=${SECRET}\nother=${OTHER_SECRET}\n`, 'EMBEDDING_KEY_FILE holds 2 keys; accepted is one.'],
    [`door=${SECRET}\ndoor=${OTHER_SECRET}\n`, 'EMBEDDING_KEY_FILE has two keys of the name door'],
    [`# door\n${SECRET}\n`, 'EMBEDDING_KEY_FILE has a malformed key in line 2; accepted is name=secret'],
  ])('that is malformed (%j) fails the start, and is not quoted', async (text, sentence) => {
    const failure: Error = await readFile(text).then(
      () => Promise.reject(new Error('It was read.')),
      (error) => error,
    );
    expect(failure).toBeInstanceOf(StartupError);
    expect(failure.message).toContain(sentence);
    expect(failure.message).not.toMatch(/not-a-secret|another-secret/);
  });

  it('is not the key itself, which is then not shown', () => {
    const EMBEDDING_KEY_FILE = `door=${SECRET}`;
    const attempt = () => read({ EMBEDDING_KEY_FILE });
    expect(attempt).toThrow('EMBEDDING_KEY_FILE is set to something else; accepted is the path of a file');
    expect(attempt).not.toThrow(SECRET);
  });

  it('that cannot be read fails the start, and so does a key beside it', async () => {
    const EMBEDDING_KEY_FILE = join(await temporaryFolder(), 'none');
    expect(() => read({ EMBEDDING_KEY_FILE })).toThrow(
      'EMBEDDING_KEY_FILE names a file that cannot be read (ENOENT).',
    );
    expect(() => read({ EMBEDDING_KEY_FILE, EMBEDDING_KEY: `door=${SECRET}` })).toThrow(
      'EMBEDDING_KEY and EMBEDDING_KEY_FILE are both set; accepted is one of them.',
    );
  });
});
