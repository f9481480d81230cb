// Writes docs/PERFORMANCE.md from the results of an earlier run:
//
//   node tools/run.mjs build/bench/report/write-docs.js [bench-out/results.json]
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PACKAGE_ROOT } from '../../src/config/package.ts';
import { updateSections } from '../../tools/markdown.ts';
import type { Results } from '../results.ts';
import { renderCurve } from './curve.ts';
import { ordinaryOf, renderSections } from './sections.ts';

const DOCS = new URL('docs/', PACKAGE_ROOT);

/** Writes the tables of docs/PERFORMANCE.md and the curve. What is about packs that were not measured stays. */
export function writeDocs(results: readonly Results[]): void {
  const file = new URL('PERFORMANCE.md', DOCS);
  writeFileSync(file, updateSections(readFileSync(file, 'utf8'), renderSections(results)));
  const ordinary = ordinaryOf(results);
  if (ordinary) writeFileSync(new URL('latency-throughput.svg', DOCS), renderCurve(ordinary));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeDocs(JSON.parse(readFileSync(process.argv[2] ?? 'bench-out/results.json', 'utf8')));
}
