import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../support/shared.ts';

const JOBS = JSON.stringify(new URL('dist/json/jobs.js', `file://${join(ROOT, '/')}`).href);
/** Prints the library's name for each loaded module of zod or zod-openapi. */
const HOOKS = `
  import { writeSync } from 'node:fs';
  export async function resolve(name, context, next) {
    const found = await next(name, context);
    if (/zod-(to-)?openapi/.test(found.url)) writeSync(1, 'openapi ');
    else if (/\\/zod/.test(found.url)) writeSync(1, 'zod ');
    return found;
  }`;
const SCRIPT = `
  import { register } from 'node:module';
  register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(HOOKS)}));
  const { runJsonJob } = await import(${JOBS});
  const limits = { references: 9, comparisons: 99, pictures: 9, imageBytes: 99 };
  const body = new TextEncoder().encode(process.argv[1]);
  const job = process.argv[2] === 'embed'
    ? { kind: 'embed', body, limits: { MAX_IMAGE_SIZE: 99, MAX_BATCH_SIZE: 9 } }
    : { kind: 'compare', body, limits, maxAnswerBytes: 999 };
  await runJsonJob(job).then(
    ({ result }) => console.log(result.answer ? new TextDecoder().decode(result.answer) : JSON.stringify(result)),
    ({ code }) => console.log(code),
  );`;

const run = (body: unknown, kind = 'compare') =>
  execFileSync(process.execPath, ['--input-type=module', '-e', SCRIPT, JSON.stringify(body), kind], {
    encoding: 'utf8',
  });

describe('a JSON job', () => {
  it('reads an embed request without the schema libraries, and strips what remains to be validated', () => {
    const junk = { deep: [1, 2, 3] };
    const read = JSON.parse(
      run({ images: ['AAAA', 'no base64!'], junk, list: [[1]], faces: 'all' }, 'embed'),
    );
    expect(read.batch).toBe(true);
    expect(read.images).toEqual([
      { type: 'Buffer', data: [0, 0, 0] },
      expect.objectContaining({ code: 'INVALID_IMAGE' }),
    ]);
    expect(read.rest).toEqual({ images: ['', ''], junk: {}, list: [], faces: 'all' });
  });

  it('compares with zod but without the OpenAPI library, which takes as long again to load', () => {
    const printed = run({ query_embedding: [1], reference_embeddings: [{ id: 'a', embedding: [1] }] });
    const [, loaded = '', answer = ''] = printed.match(/^((?:\w+ )*)(.*)$/s) ?? [];
    expect(new Set(loaded.trim().split(' '))).toEqual(new Set(['zod']));
    expect(JSON.parse(answer).best_match).toEqual({ id: 'a', distance: 0, similarity: 1 });
  });

  it('fails with the error code of an invalid request', () => {
    expect(run({ query_embedding: [1], reference_embeddings: 5 })).toMatch(/INVALID_REQUEST\n$/);
  });
});
