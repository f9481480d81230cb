import { join } from 'node:path';
import { calibrate } from './calibrate/calibrate.ts';
import { CalibrationError } from './calibrate/calibration-error.ts';
import { type CalibrationOptions, readOptions, USAGE } from './calibrate/options.ts';
import { reportAsText } from './calibrate/report/terminal.ts';

// npm run calibrate: measures thresholds on pairs of pictures, and writes a report.

/** Exit codes. */
const FAILED = 1;
const WRONG_USAGE = 2;
/** As shells report a program that Ctrl-C ended. */
const INTERRUPTED = 130;

async function run(options: CalibrationOptions): Promise<void> {
  const interruption = new AbortController();
  const { signal } = interruption;
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interruption.abort());
  try {
    const report = await calibrate(options, { log: console.error, signal });
    console.log(`\n${reportAsText(report)}\n\nThe report: ${join(options.out, 'report.html')}`);
  } catch (error) {
    if (signal.aborted) {
      console.error('Interrupted. The embeddings so far are kept; repeat the command to resume.');
      process.exitCode = INTERRUPTED;
    } else {
      console.error(error instanceof CalibrationError ? error.message : error);
      process.exitCode = FAILED;
    }
  }
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) console.log(USAGE);
  else await run(options);
} catch (error) {
  if (!(error instanceof CalibrationError)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = WRONG_USAGE;
}
