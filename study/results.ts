import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../src/config/package.ts';
import { updateSections } from '../tools/markdown.ts';

/** The text of each section of a document, by its name. */
export type Sections = Readonly<Record<string, string>>;

/**
 * Writes what a study measured, as `results.json` and, in words, as `tables.md`.
 *
 * @returns the text of `tables.md`.
 */
export function writeResults(folder: string, results: object, sections: Sections): string {
  const text = Object.entries(sections)
    .map(([name, body]) => `## ${name}\n\n${body}\n`)
    .join('\n');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(join(folder, 'tables.md'), text);
  return text;
}

/** Puts the sections into a document, such as `QUALITY.md` in `docs/`. */
export function updateDocument(name: string, sections: Sections): void {
  const file = new URL(`docs/${name}`, PACKAGE_ROOT);
  writeFileSync(file, updateSections(readFileSync(file, 'utf8'), sections));
}
