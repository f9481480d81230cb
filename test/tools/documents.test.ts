import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SETTINGS } from '../../src/config/settings.ts';
import { ERROR_CATALOGUE } from '../../src/errors.ts';
import { renderEnvExample, updateReadme } from '../../tools/documents.ts';
import { ROOT } from '../support/shared.ts';

const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');

/** When one of these fails: npm run generate. */
describe('what is generated is current', () => {
  it('.env.example', () => {
    expect(read('.env.example')).toBe(renderEnvExample());
  });

  it('the README’s tables', () => {
    expect(read('README.md')).toBe(updateReadme(read('README.md')));
  });
});

describe('the README', () => {
  it('has every error code and every setting in its tables', () => {
    const readme = read('README.md');
    for (const code of Object.keys(ERROR_CATALOGUE)) expect(readme).toContain(`\n| \`${code}\` | `);
    for (const name of Object.keys(SETTINGS)) expect(readme).toContain(`\n| \`${name}\` | `);
  });

  it('names no error code and no script that does not exist', () => {
    const readme = read('README.md');
    const { scripts } = JSON.parse(read('package.json'));
    for (const [, script] of readme.matchAll(/npm run ([a-z:]+)/g))
      expect(scripts).toHaveProperty([script as string]);
    for (const [, code] of readme.matchAll(/"error_code": ?"([A-Z_]+)"/g)) {
      expect(ERROR_CATALOGUE).toHaveProperty(code as string);
    }
  });
});

describe('the settings of .env.example', () => {
  it('are all there, at their defaults, and commented out', () => {
    const names = [...read('.env.example').matchAll(/^#([A-Z_]+)=/gm)].map(([, name]) => name);
    expect(names).toEqual(Object.keys(SETTINGS));
  });
});
