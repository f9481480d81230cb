import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../support/shared.ts';
import { anchorsOf, DOCUMENTS, proseOf } from './documents.ts';

/** The targets of all links and images that lead to somewhere in the repository. */
function relativeLinks(path: string): string[] {
  return [...proseOf(path).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target as string)
    .filter((target) => !/^[a-z]+:/.test(target));
}

describe('links in documents', () => {
  it.each(DOCUMENTS)('%s leads to files and headings that exist', (path) => {
    for (const link of relativeLinks(path)) {
      const [file, anchor] = link.split('#') as [string, string?];
      const target = file === '' ? path : join(path, '..', file);
      expect(existsSync(join(ROOT, target)), `${link} leads to a file`).toBe(true);
      if (anchor !== undefined)
        expect([...anchorsOf(target)], `${link} leads to a heading`).toContain(anchor);
    }
  });

  it('lead from the README to every document below it', () => {
    const linked = relativeLinks('README.md').map((link) => link.split('#')[0]);
    const expected = DOCUMENTS.filter((path) => !path.endsWith('README.md'));
    expect(linked).toEqual(expect.arrayContaining(expected));
  });

  it('make a table of contents that names every section', () => {
    for (const path of DOCUMENTS) {
      const contents = [...proseOf(path).matchAll(/^- \[([^\]]+)\]\(#[^)]+\)$/gm)].map(([, title]) => title);
      const sections = [...proseOf(path).matchAll(/^## (.+)$/gm)].map(([, title]) => title);
      if (contents.length > 0) expect(contents, path).toEqual(sections);
    }
  });
});
