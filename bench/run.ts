// npm run bench: measures, writes results.json, tables.md and latency-throughput.svg, and prints the floors.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { judgeFloors } from './floors.ts';
import { type BenchmarkOptions, optionsFor, readOptions, USAGE } from './options.ts';
import { renderCurve } from './report/curve.ts';
import { ordinaryOf, renderSections } from './report/sections.ts';
import { floorsAsText } from './report/terminal.ts';
import { writeDocs } from './report/write-docs.ts';
import type { Results } from './results.ts';

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
// Servers and temporary folders end with this process; without a handler, a signal would not let them.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));
const results: Results[] = [];
mkdirSync(options.out, { recursive: true });
for (const pack of options.packs) {
  const logPack = options.packs.length > 1 ? (text: string) => log(`${pack}: ${text}`) : log;
  results.push(await runBenchmark(optionsFor(pack, options), logPack));
  // What has been measured is not lost when another pack fails.
  writeFileSync(join(options.out, 'results.json'), `${JSON.stringify(results, undefined, 2)}\n`);
}

const sections = Object.entries(renderSections(results)).map(([name, body]) => `## ${name}\n\n${body}\n`);
writeFileSync(join(options.out, 'tables.md'), sections.join('\n'));
const ordinary = ordinaryOf(results);
if (ordinary?.open) writeFileSync(join(options.out, 'latency-throughput.svg'), renderCurve(ordinary));
if (options.writeDocs) writeDocs(results);

log('done');
if (ordinary) console.log(floorsAsText(ordinary));
const missed = ordinary !== undefined && judgeFloors(ordinary).some(({ verdict }) => verdict === 'missed');
process.exitCode = options.check && missed ? 1 : 0;

function readOptionsOrExit(): BenchmarkOptions {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}
