import { join } from 'node:path';
import { buildIfNeeded } from '../../tools/build.mjs';
import { readOptions, USAGE } from './calibrate/options.ts';
import { CalibrationError } from './calibrate/usage-error.ts';

// npm run calibrate: measures thresholds on pairs of pictures, and writes a report.

const FAILED = 1;
const WRONG_USAGE = 2;
/** As shells report a program that Ctrl-C ended. */
const INTERRUPTED = 130;

const options = readOptionsOrEnd();
if (options.help) {
  console.log(USAGE);
  process.exit(0);
}
if (options.build && options.url === undefined) buildIfNeeded();

assertInstalled('csv-parse/sync', 'echarts/core');
const { calibrate } = await import('./calibrate/calibrate.ts');
const { reportAsText } = await import('./calibrate/report/terminal.ts');

const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => interruption.abort());

try {
  const report = await calibrate(options, {
    log: (text) => console.error(text),
    signal: interruption.signal,
  });
  console.log(`\n${reportAsText(report)}\n\nThe report: ${join(options.out, 'report.html')}`);
} catch (error) {
  if (interruption.signal.aborted) {
    console.error('Interrupted. What was embedded is kept; the same command goes on from there.');
    process.exitCode = INTERRUPTED;
  } else {
    console.error(error instanceof CalibrationError ? error.message : error);
    process.exitCode = FAILED;
  }
}

function readOptionsOrEnd() {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`);
    process.exit(WRONG_USAGE);
  }
}

/** A production image has neither the library that draws nor the one that reads tables. */
function assertInstalled(...modules) {
  try {
    for (const name of modules) import.meta.resolve(name);
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    console.error(`This command needs the development dependencies: npm ci. ${error.message}`);
    process.exit(FAILED);
  }
}
