import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../src/config/package.ts';
import type { Body, Report, Task } from './workers/send-hostile-bodies.ts';

/** The default of MAX_REQUEST_SIZE. */
const SIZE = 32 << 20;
/** What any body may take, its bytes included, in MiB: less than the 300 that operators are told, as other work takes some. */
const ROOM = 260;

/** Each with the outcome that it must have. */
const COMPARE: Record<string, [outcome: string, ...body: Body]> = {
  'an unknown member of millions of objects': ['INVALID_REQUEST', '{"junk":[{}', ',{}', ']}'],
  'lists in lists': ['INVALID_REQUEST', '[', '[', ''],
  'millions of unknown members': ['INVALID_REQUEST', '{"a":1', ',"b":2', '}'],
  'millions of references': [
    'REQUEST_TOO_LARGE',
    '{"query_embedding":[1],"reference_embeddings":[{}',
    ',{}',
    ']}',
  ],
  'lists that replace each other': [
    'INVALID_REQUEST',
    '{"top_k":1',
    `,"reference_embeddings":[${'{"id":"\\n"},'.repeat(2000)}{}]`,
    '}',
  ],
  'millions of ids': [
    'REQUEST_TOO_LARGE',
    '{"query_embedding":[1],"reference_embeddings":{"embeddings":"","ids":[""',
    ',""',
    ']}}',
  ],
  'an embedding of millions of numbers': [
    'ok',
    '{"reference_embeddings":[],"query_embedding":[1',
    ',1',
    ']}',
  ],
};
const EMBED: typeof COMPARE = {
  'millions of images': ['REQUEST_TOO_LARGE', '{"images":[""', ',""', ']}'],
  'an image full of escapes': ['ok', '{"image":"', '\\/9j', '"}'],
};

/** Its answer is twice as long as the body. */
const ANSWERED: typeof COMPARE = {
  'an id of megabytes': [
    'ok',
    '{"query_embedding":[1],"reference_embeddings":[{"embedding":[1],"id":"',
    'ő',
    '"}]}',
  ],
};

function sendAll(kind: Task['kind'], bodies: typeof COMPARE): Report {
  const task: Task = { kind, size: SIZE, bodies: Object.values(bodies).map(([, ...body]) => body) };
  const client = fileURLToPath(new URL('build/test/json/workers/send-hostile-bodies.js', PACKAGE_ROOT));
  const printed = execFileSync(process.execPath, [client, JSON.stringify(task)], { encoding: 'utf8' });
  return JSON.parse(printed) as Report;
}

describe.skipIf(process.platform !== 'linux')('hostile JSON bodies of 32 MiB, one after the other', () => {
  it.each([
    ['compare', COMPARE],
    ['compare', ANSWERED],
    ['embed', EMBED],
  ] as const)('take little memory to %s, and a small request behind each is answered', (kind, bodies) => {
    const { outcomes, peak } = sendAll(kind, bodies);
    const expected = Object.entries(bodies).map(([name, [outcome]]) => [name, outcome, 'ok']);
    const actual = Object.keys(bodies).map((name, index) => [name, ...(outcomes[index] ?? [])]);
    expect(actual).toEqual(expected);
    expect(peak).toBeLessThan(ROOM);
  });
});
