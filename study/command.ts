import { availableParallelism } from 'node:os';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { errorMessage } from '../src/errors.ts';

type Options = NonNullable<ParseArgsConfig['options']>;

/** The options of every study. */
export const COMMON_OPTIONS = {
  pack: { type: 'string', default: 'buffalo_sc_dq' },
  models: { type: 'string', default: '../shared/models' },
  photos: { type: 'string', default: '../shared/faces/lfw' },
  threads: { type: 'string', default: String(availableParallelism()) },
  out: { type: 'string', default: 'study-out' },
  'write-docs': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** Reads the options of the command line. Ends the process for `--help`, and for an option that there is not. */
export function readOptions<const Given extends Options>(usage: string, options: Given) {
  const { values } = parse(usage, options);
  if ('help' in values && values.help) {
    console.log(usage);
    process.exit(0);
  }
  return values;
}

function parse<const Given extends Options>(usage: string, options: Given) {
  try {
    return parseArgs({ options });
  } catch (error) {
    console.error(`${errorMessage(error)}\n\n${usage}`);
    process.exit(2);
  }
}

const started = performance.now();

/** Writes to standard error, with the seconds since the start. */
export const log = (text: string) =>
  console.error(`${Math.round((performance.now() - started) / 1000)} s  ${text}`);
