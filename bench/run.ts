// npm run bench: measures, writes results.json, tables.md and latency-throughput.svg, and prints the floors.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { judgeFloors } from './floors.ts';
import { type BenchmarkOptions, readOptions, USAGE } from './options.ts';
import { renderCurve } from './report/curve.ts';
import { renderSections } from './report/markdown.ts';
import { floorsAsText } from './report/terminal.ts';
import { writeDocs } from './report/write-docs.ts';

const options = readOptionsOrExit();
if (options.help) {
  console.log(USAGE);
  process.exit(0);
}

// ONNX Runtime reads this when it is loaded; see src/engine/inference-engine.ts.
process.env.ORT_DISABLE_TELEMETRY ??= '1';
const { runBenchmark } = await import('./benchmark.ts');

const started = performance.now();
const log = (text: string) => console.error(`${Math.round((performance.now() - started) / 1000)} s  ${text}`);
const results = await runBenchmark(options, log);

mkdirSync(options.out, { recursive: true });
const sections = Object.entries(renderSections(results)).map(([name, body]) => `## ${name}\n\n${body}\n`);
writeFileSync(join(options.out, 'results.json'), `${JSON.stringify(results, undefined, 2)}\n`);
writeFileSync(join(options.out, 'tables.md'), sections.join('\n'));
if (results.open) writeFileSync(join(options.out, 'latency-throughput.svg'), renderCurve(results));
if (options.writeDocs) writeDocs(results);

log('done');
console.log(floorsAsText(results));
const missed = judgeFloors(results).some(({ verdict }) => verdict === 'missed');
process.exitCode = options.check && missed ? 1 : 0;

function readOptionsOrExit(): BenchmarkOptions {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}
