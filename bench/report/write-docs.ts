import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { renderCurve } from './curve.ts';
import { renderSections } from './markdown.ts';

const DOCS = new URL('../../docs/', import.meta.url);

/** Puts a section between its markers; the text around it is written by hand. */
export function replaceSections(document, sections) {
  let text = document;
  for (const [name, body] of Object.entries(sections)) {
    const pattern = new RegExp(`(<!-- ${name}:begin[^\\n]*-->\\n)[\\s\\S]*?(<!-- ${name}:end -->)`);
    if (!pattern.test(text)) throw new Error(`There are no markers for ${name}.`);
    text = text.replace(pattern, (_, begin, end) => `${begin}${body}\n${end}`);
  }
  return text;
}

/** Writes the tables of docs/PERFORMANCE.md and the curve beside it. */
export function writeDocs(results) {
  const file = new URL('PERFORMANCE.md', DOCS);
  writeFileSync(file, replaceSections(readFileSync(file, 'utf8'), renderSections(results)));
  writeFileSync(new URL('latency-throughput.svg', DOCS), renderCurve(results));
}

// node bench/report/write-docs.ts bench-out/results.json
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeDocs(JSON.parse(readFileSync(process.argv[2] ?? 'bench-out/results.json', 'utf8')));
}
