import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildIfNeeded } from '../tools/build.mjs';
import { judgeFloors } from './floors.ts';
import { readOptions, USAGE } from './options.ts';

// npm run bench: measures, writes results.json, tables.md and latency-throughput.svg, and prints the floors.

// Before ONNX Runtime is loaded; see src/engine/inference-engine.ts.
process.env.ORT_DISABLE_TELEMETRY ??= '1';
const options = tryOr(() => readOptions(process.argv.slice(2)));
if (options.help) {
  console.log(USAGE);
  process.exit(0);
}
if (options.build) buildIfNeeded();

const { runBenchmark } = await import('./benchmark.ts');
const { renderCurve } = await import('./report/curve.ts');
const { renderSections } = await import('./report/markdown.ts');
const { floorsAsText } = await import('./report/terminal.ts');
const { writeDocs } = await import('./report/write-docs.ts');

const started = performance.now();
const log = (text) => console.error(`${Math.round((performance.now() - started) / 1000)} s  ${text}`);
const results = await runBenchmark(options, log);

mkdirSync(options.out, { recursive: true });
const sections = Object.entries(renderSections(results)).map(([name, body]) => `## ${name}\n\n${body}\n`);
writeFileSync(join(options.out, 'results.json'), `${JSON.stringify(results, undefined, 2)}\n`);
writeFileSync(join(options.out, 'tables.md'), sections.join('\n'));
if (results.open) writeFileSync(join(options.out, 'latency-throughput.svg'), renderCurve(results));
if (options.writeDocs) writeDocs(results);

log('done');
console.log(floorsAsText(results));
const missed = judgeFloors(results).filter(({ verdict }) => verdict === 'missed').length;
process.exitCode = options.check && missed > 0 ? 1 : 0;

function tryOr(read) {
  try {
    return read();
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
}
