import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { errorMessage } from '../../../errors.ts';
import { CalibrationError } from '../calibration-error.ts';
import { MAX_SOURCE_LENGTH, readUrl, wholeNumber } from '../options.ts';
import type { Target } from './rates.ts';

export const LIVENESS_USAGE = `npm run calibrate -- --liveness --live FOLDER --spoof FOLDER [options]
  --live FOLDER          pictures of live faces
  --spoof FOLDER         pictures of spoofs; one folder for each kind in it (print, screen, mask), or none
  --apcer RATE           the threshold accepts at most this share of the worst kind of spoofs (0.05)
  --bpcer RATE           instead: the threshold refuses at most this share of the live faces
  --out FOLDER, --source TEXT, --url URL, --api-key KEY, --concurrency N
                         as above; the service needs LIVENESS_MODEL`;

const DEFAULT_APCER = 0.05;

export interface LivenessCalibrationOptions {
  live: string;
  spoof: string;
  target: Target;
  out: string;
  source: string;
  /** Undefined to start a service. */
  url: string | undefined;
  apiKey: string | undefined;
  concurrency: number | undefined;
}

export const isLivenessCalibration = (argv: string[]) => argv.includes('--liveness');

/**
 * @returns undefined for `--help`.
 * @throws {CalibrationError} for wrong options.
 */
export function readLivenessOptions(
  argv: string[],
  environment = process.env,
): LivenessCalibrationOptions | undefined {
  const values = parse(argv);
  if (values.help) return undefined;
  const { live, spoof, apcer, bpcer, out, url, concurrency } = values;
  if (live === undefined || spoof === undefined)
    throw new CalibrationError('--liveness needs --live and --spoof.');
  if (apcer !== undefined && bpcer !== undefined)
    throw new CalibrationError('Either --apcer or --bpcer is possible, not both.');
  const target: Target =
    bpcer === undefined
      ? { error: 'apcer', rate: apcer === undefined ? DEFAULT_APCER : readRate(apcer, '--apcer') }
      : { error: 'bpcer', rate: readRate(bpcer, '--bpcer') };
  const source = values.source ?? `${basename(resolve(live))}, ${basename(resolve(spoof))}`;
  return {
    live,
    spoof,
    target,
    out,
    source: source.slice(0, MAX_SOURCE_LENGTH),
    url: url === undefined ? undefined : readUrl(url),
    apiKey: values['api-key'] ?? environment.CALIBRATE_API_KEY,
    concurrency: concurrency === undefined ? undefined : wholeNumber(concurrency, '--concurrency', 1),
  };
}

function parse(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      options: {
        liveness: { type: 'boolean' },
        live: { type: 'string' },
        spoof: { type: 'string' },
        apcer: { type: 'string' },
        bpcer: { type: 'string' },
        out: { type: 'string', default: 'report' },
        source: { type: 'string' },
        url: { type: 'string' },
        'api-key': { type: 'string' },
        concurrency: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new CalibrationError(errorMessage(error));
  }
}

function readRate(text: string, option: string): number {
  const value = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value > 0 && value < 1))
    throw new CalibrationError(`${option} is ${text}; accepted is a number above 0 and below 1.`);
  return value;
}
