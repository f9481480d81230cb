import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SETTINGS } from '../../src/config/settings.ts';
import { ERROR_CATALOGUE } from '../../src/errors.ts';
import { errorSchema } from '../../src/http/document/error-responses.ts';
import { CATALOGUE } from '../../src/packs/catalogue.ts';
import { GENERATED_DOCUMENTS } from '../../tools/documents/documents.ts';
import { table, updateSection } from '../../tools/markdown.ts';
import { ROOT } from '../support/shared.ts';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** What the rows of a table begin with, without the backticks. */
const firstCells = (path: string) => [...read(path).matchAll(/^\| `(\w+)` \| /gm)].map(([, cell]) => cell);

describe('generated documents', () => {
  it.each(Object.entries(GENERATED_DOCUMENTS))('%s is up to date', (path, update) => {
    expect(read(path), 'run npm run generate').toBe(update(read(path)));
  });

  it('list every setting', () => {
    expect(firstCells('docs/CONFIGURATION.md')).toEqual(Object.keys(SETTINGS));
  });

  it('have every setting commented out in .env.example', () => {
    const names = [...read('.env.example').matchAll(/^#([A-Z_]+)=/gm)].map(([, name]) => name);
    expect(names).toEqual(Object.keys(SETTINGS));
  });

  it('list every model pack', () => {
    expect(firstCells('docs/MODELS.md')).toEqual(expect.arrayContaining([...CATALOGUE.keys()]));
  });

  it('name the same error codes as the catalogue and the OpenAPI document', () => {
    const documented = firstCells('docs/ERRORS.md').filter((cell) => cell === cell?.toUpperCase());
    expect(documented).toEqual(Object.keys(ERROR_CATALOGUE));
    expect(errorSchema.shape.error_code.options).toEqual(Object.keys(ERROR_CATALOGUE));
  });
});

describe('README.md', () => {
  const readme = read('README.md');

  it('names no script that does not exist', () => {
    const { scripts } = JSON.parse(read('package.json'));
    for (const [, script] of readme.matchAll(/npm run ([a-z:]+)/g))
      expect(scripts).toHaveProperty([script as string]);
  });

  it('names no error code that does not exist', () => {
    for (const [, code] of readme.matchAll(/"error_code": ?"([A-Z_]+)"/g))
      expect(ERROR_CATALOGUE).toHaveProperty(code as string);
  });
});

describe('updateSection', () => {
  it('replaces the section and nothing else', () => {
    const text =
      'a\n<!-- one:begin (note) -->\nold\n<!-- one:end -->\n<!-- two:begin -->\nkept\n<!-- two:end -->\n';
    expect(updateSection(text, 'one', '$1 new')).toBe(text.replace('old', () => '$1 new'));
  });

  it('fills an empty section', () => {
    expect(updateSection('<!-- one:begin -->\n<!-- one:end -->', 'one', 'new')).toBe(
      '<!-- one:begin -->\nnew\n<!-- one:end -->',
    );
  });

  it('refuses a text without the markers', () => {
    expect(() => updateSection('text', 'one', 'new')).toThrow('no markers for the section "one"');
  });
});

it('a table escapes vertical bars', () => {
  expect(table(['a', 'b'], [['x|y', 1]])).toBe('| a | b |\n| --- | --- |\n| x\\|y | 1 |');
});
