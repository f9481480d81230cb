import { join } from 'node:path';
import { type CalibrationContext, calibrate } from './calibrate/calibrate.ts';
import { CalibrationError } from './calibrate/calibration-error.ts';
import { calibrateLiveness } from './calibrate/liveness/calibrate-liveness.ts';
import { isLivenessCalibration, LIVENESS_USAGE, readLivenessOptions } from './calibrate/liveness/options.ts';
import { livenessAsText } from './calibrate/liveness/words.ts';
import { type CalibrationOptions, readOptions, USAGE } from './calibrate/options.ts';
import { reportAsText } from './calibrate/report/terminal.ts';

// npm run calibrate: measures thresholds on pairs of pictures, or those of liveness, and writes a report.

const ALL_USAGE = `${USAGE}\n\n${LIVENESS_USAGE}`;

/** Exit codes. */
const FAILED = 1;
const WRONG_USAGE = 2;
/** As shells report a program that Ctrl-C ended. */
const INTERRUPTED = 130;

/** A measurement, ready to run. @returns what is printed at its end. */
type Measurement = (context: CalibrationContext) => Promise<string>;

function measurementOf(argv: string[]): Measurement | undefined {
  if (isLivenessCalibration(argv)) {
    const options = readLivenessOptions(argv);
    return (
      options &&
      (async (context) => endOf(livenessAsText(await calibrateLiveness(options, context)), options))
    );
  }
  const options = readOptions(argv);
  return options && (async (context) => endOf(reportAsText(await calibrate(options, context)), options));
}

const endOf = (report: string, { out }: Pick<CalibrationOptions, 'out'>) =>
  `\n${report}\n\nThe report: ${join(out, 'report.html')}`;

async function run(measure: Measurement): Promise<void> {
  const interruption = new AbortController();
  const { signal } = interruption;
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interruption.abort());
  try {
    console.log(await measure({ log: console.error, signal }));
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
  const measure = measurementOf(process.argv.slice(2));
  if (measure === undefined) console.log(ALL_USAGE);
  else await run(measure);
} catch (error) {
  if (!(error instanceof CalibrationError)) throw error;
  console.error(`${error.message}\n\n${ALL_USAGE}`);
  process.exitCode = WRONG_USAGE;
}
