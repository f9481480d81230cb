import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { VERSION } from '../../src/config/package.ts';
import { ROOT } from '../support/shared.ts';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

// One tag releases all three, and their types are those of one document.
it('the clients have the version of the service', () => {
  expect(JSON.parse(read('clients/typescript/package.json'))).toHaveProperty('version', VERSION);
  const [, python] = /^__version__ = "(.*)"$/m.exec(read('clients/python/face_embedding.py')) ?? [];
  expect(python).toBe(VERSION);
});
