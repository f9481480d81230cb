import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { CalibrationError } from './usage-error.ts';

export const USAGE = `npm run calibrate -- (--pairs FILE --images FOLDER | --identities FOLDER) [options]
  --pairs FILE           CSV with the columns image_a, image_b, same_person (1 or 0)
  --images FOLDER        what its file names are relative to
  --identities FOLDER    instead of both: a folder of pictures for each person, FOLDER/person/*.jpg; all pairs of one person
                         are made, and impostor pairs are drawn
  --impostors N          how many impostor pairs are drawn from --identities (30000)
  --seed N               of that draw, and of the intervals of thresholds (1)
  --out FOLDER           for the report (report)
  --source TEXT          what the pairs are, for thresholds.json (the name of the file or folder)
  --url URL              a running service, with its API_PREFIX; without it, the service is started for the measurement
                         with this environment's settings (MODEL_NAME, MODELS_DIR, …)
  --api-key KEY          for that service; better in the environment as CALIBRATE_API_KEY
  --concurrency N        pictures under way at the same time (twice the workers of the service)
  --keep-embeddings      keep the file with the embeddings of your pictures, which is otherwise removed at the end
  --no-build             use dist/ as it is`;

const MOST_SOURCE_LETTERS = 200;

/** @throws {CalibrationError} with a sentence for the terminal. */
export function readOptions(argv, environment = process.env) {
  const values = parse(argv);
  if (values.help) return { help: true };
  const { pairs, images, identities } = values;
  if ((pairs === undefined) === (identities === undefined))
    throw new CalibrationError('Either --pairs or --identities is needed.');
  if ((pairs === undefined) !== (images === undefined))
    throw new CalibrationError('--pairs and --images go together.');
  if (pairs !== undefined && values.impostors !== undefined)
    throw new CalibrationError(
      '--impostors goes with --identities; --pairs names its impostor pairs itself.',
    );
  const source = values.source ?? basename(resolve(pairs ?? identities));
  return {
    pairs,
    images,
    identities,
    impostors: wholeNumber(values.impostors ?? '30000', '--impostors', 1),
    seed: wholeNumber(values.seed, '--seed', 0),
    out: values.out,
    source: source.slice(0, MOST_SOURCE_LETTERS),
    url: values.url === undefined ? undefined : readUrl(values.url),
    apiKey: values['api-key'] ?? environment.CALIBRATE_API_KEY,
    concurrency:
      values.concurrency === undefined ? undefined : wholeNumber(values.concurrency, '--concurrency', 1),
    keepEmbeddings: values['keep-embeddings'],
    build: !values['no-build'],
    help: false,
  };
}

function parse(argv) {
  try {
    return parseArgs({
      args: argv,
      options: {
        pairs: { type: 'string' },
        images: { type: 'string' },
        identities: { type: 'string' },
        impostors: { type: 'string' },
        seed: { type: 'string', default: '1' },
        out: { type: 'string', default: 'report' },
        source: { type: 'string' },
        url: { type: 'string' },
        'api-key': { type: 'string' },
        concurrency: { type: 'string' },
        'keep-embeddings': { type: 'boolean', default: false },
        'no-build': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new CalibrationError(error.message);
  }
}

function wholeNumber(text, option, least) {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && Number.isSafeInteger(value)))
    throw new CalibrationError(`${option} is ${text}; accepted is a whole number of at least ${least}.`);
  return value;
}

/** Without a slash at its end. */
function readUrl(text) {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new CalibrationError(`--url is ${text}; accepted is an http(s) URL.`);
  const { origin, pathname } = new URL(text);
  return `${origin}${pathname}`.replace(/\/+$/, '');
}
