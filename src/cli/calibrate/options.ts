import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { errorMessage } from '../../errors.ts';
import { CalibrationError } from './calibration-error.ts';
import type { PairSource } from './pairs/collect.ts';

export const USAGE = `npm run calibrate -- (--pairs FILE --images FOLDER | --identities FOLDER) [options]
  --pairs FILE           CSV with the columns image_a, image_b, same_person (1 or 0)
  --images FOLDER        folder that the file names in --pairs are relative to
  --identities FOLDER    instead of both: a folder with one folder of pictures for each person, FOLDER/person/*.jpg; all
                         pairs of the same person are measured, and impostor pairs are drawn at random
  --impostors N          number of impostor pairs drawn from --identities (30000)
  --seed N               seed of the draw and of the intervals of thresholds (1)
  --gallery N            lead the report with a search among N people: its error rates, by resampling the people given
  --out FOLDER           folder for the report (report)
  --source TEXT          description of the pairs for thresholds.json (the name of the file or folder)
  --url URL              a running service, with its API_PREFIX; without it, the service is started for the measurement
                         with the settings of this environment (MODEL_NAME, MODELS_DIR, …)
  --api-key KEY          key for that service; the environment variable CALIBRATE_API_KEY is safer
  --concurrency N        pictures in progress at the same time (twice the workers of the service)
  --keep-embeddings      keep the file with the embeddings of your pictures, which is otherwise removed at the end`;

/** The maximum in the files that the service reads. */
export const MAX_SOURCE_LENGTH = 200;

export interface CalibrationOptions {
  pairs: PairSource;
  /** Of the draw of impostor pairs and of the bootstrap. */
  seed: number;
  /** People among whom the service shall find one; undefined for a report that leads with verification. */
  gallery: number | undefined;
  out: string;
  source: string;
  /** Undefined to start a service. */
  url: string | undefined;
  apiKey: string | undefined;
  concurrency: number | undefined;
  keepEmbeddings: boolean;
}

/**
 * @returns undefined for `--help`.
 * @throws {CalibrationError} for wrong options.
 */
export function readOptions(argv: string[], environment = process.env): CalibrationOptions | undefined {
  const values = parse(argv);
  if (values.help) return undefined;
  const seed = wholeNumber(values.seed, '--seed', 0);
  const pairs = readPairSource(values, seed);
  const source = values.source ?? basename(resolve('pairs' in pairs ? pairs.pairs : pairs.identities));
  return {
    pairs,
    seed,
    gallery: values.gallery === undefined ? undefined : wholeNumber(values.gallery, '--gallery', 1),
    out: values.out,
    source: source.slice(0, MAX_SOURCE_LENGTH),
    url: values.url === undefined ? undefined : readUrl(values.url),
    apiKey: values['api-key'] ?? environment.CALIBRATE_API_KEY,
    concurrency:
      values.concurrency === undefined ? undefined : wholeNumber(values.concurrency, '--concurrency', 1),
    keepEmbeddings: values['keep-embeddings'],
  };
}

function parse(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      options: {
        pairs: { type: 'string' },
        images: { type: 'string' },
        identities: { type: 'string' },
        impostors: { type: 'string' },
        seed: { type: 'string', default: '1' },
        gallery: { type: 'string' },
        out: { type: 'string', default: 'report' },
        source: { type: 'string' },
        url: { type: 'string' },
        'api-key': { type: 'string' },
        concurrency: { type: 'string' },
        'keep-embeddings': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new CalibrationError(errorMessage(error));
  }
}

function readPairSource(values: ReturnType<typeof parse>, seed: number): PairSource {
  const { pairs, images, identities, impostors } = values;
  if (identities !== undefined) {
    if (pairs !== undefined)
      throw new CalibrationError('Either --pairs or --identities is needed, not both.');
    if (images !== undefined) throw new CalibrationError('--images goes with --pairs.');
    return { identities, impostors: wholeNumber(impostors ?? '30000', '--impostors', 1), seed };
  }
  if (pairs === undefined) throw new CalibrationError('Either --pairs or --identities is needed.');
  if (images === undefined) throw new CalibrationError('--pairs needs --images.');
  if (impostors !== undefined)
    throw new CalibrationError(
      '--impostors goes with --identities; --pairs names its impostor pairs itself.',
    );
  return { pairs, images };
}

export function wholeNumber(text: string, option: string, minimum: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= minimum && Number.isSafeInteger(value)))
    throw new CalibrationError(`${option} is ${text}; accepted is a whole number of at least ${minimum}.`);
  return value;
}

/** Removes a slash at the end. */
export function readUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new CalibrationError(`--url is ${text}; accepted is an http(s) URL.`);
  const { origin, pathname } = new URL(text);
  return `${origin}${pathname}`.replace(/\/+$/, '');
}
