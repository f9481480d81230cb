import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ERROR_CATALOGUE } from '../../src/errors.ts';
import { ROOT } from '../support/shared.ts';

it('the Python client repeats what the catalogue calls retryable', () => {
  const source = readFileSync(join(ROOT, 'clients/python/face_embedding.py'), 'utf8');
  const [, codes = ''] = /^_RETRYABLE_CODES = \{(.*)\}$/m.exec(source) ?? [];
  const retryable = Object.entries(ERROR_CATALOGUE).filter(([, { retryable }]) => retryable);
  expect([...codes.matchAll(/"(\w+)"/g)].map(([, code]) => code).sort()).toEqual(
    retryable.map(([code]) => code).sort(),
  );
});
