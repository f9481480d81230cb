// Writes docs/PERFORMANCE.md from the results of an earlier run:
//
//   node tools/run.mjs build/bench/report/write-docs.js [bench-out/results.json]
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PACKAGE_ROOT } from '../../src/config/package.ts';
import type { Results } from '../results.ts';
import { renderCurve } from './curve.ts';
import { renderSections } from './markdown.ts';

const DOCS = new URL('docs/', PACKAGE_ROOT);

/**
 * Replaces the text between the markers of each section. @param sections name → text.
 *
 * @throws {Error} when the document has no markers for a section.
 */
export function replaceSections(document: string, sections: Record<string, string>): string {
  let text = document;
  for (const [name, body] of Object.entries(sections)) {
    const pattern = new RegExp(`(<!-- ${name}:begin[^\\n]*-->\\n)[\\s\\S]*?(<!-- ${name}:end -->)`);
    if (!pattern.test(text)) throw new Error(`There are no markers for ${name}.`);
    text = text.replace(pattern, (_, begin, end) => `${begin}${body}\n${end}`);
  }
  return text;
}

/** Writes the tables of docs/PERFORMANCE.md and the curve. */
export function writeDocs(results: Results): void {
  const file = new URL('PERFORMANCE.md', DOCS);
  writeFileSync(file, replaceSections(readFileSync(file, 'utf8'), renderSections(results)));
  writeFileSync(new URL('latency-throughput.svg', DOCS), renderCurve(results));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeDocs(JSON.parse(readFileSync(process.argv[2] ?? 'bench-out/results.json', 'utf8')));
}
