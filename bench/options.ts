import { parseArgs } from 'node:util';
import { isStandIn, STAND_INS } from './standins/pack.ts';

/** What can be measured. The rates of the open loop are fractions of the throughput that the closed loop finds. */
export const GROUPS = [
  'inference',
  'stages',
  'closed',
  'open',
  'overload',
  'health',
  'compare',
  'start',
] as const;
export type Group = (typeof GROUPS)[number];

/** What is measured of a large pack unless --only says otherwise: its figures take long, and the others differ little. */
const LARGE_GROUPS: readonly Group[] = ['inference', 'closed', 'start'];

const SIZES = ['250', '1280', '12mp'] as const;
export type PictureSize = (typeof SIZES)[number];
export const PICTURE_SIZES: Record<PictureSize, { label: string; width: number; height: number }> = {
  250: { label: '250×250', width: 250, height: 250 },
  1280: { label: '1280×960', width: 1280, height: 960 },
  '12mp': { label: '12 megapixels', width: 4000, height: 3000 },
};

const PEER = ['auto', 'off'] as const;

export interface BenchmarkOptions {
  /** Names. */
  packs: readonly string[];
  /** The folder that contains the packs. */
  models: string;
  photos: string;
  quick: boolean;
  /** Measured time of each point. */
  seconds: number;
  /** Seconds for which one system is measured before the next one's turn. */
  slice: number;
  sizes: readonly PictureSize[];
  /** Undefined for what is usual for a pack: see {@link optionsFor}. */
  only: readonly Group[] | undefined;
  peer: (typeof PEER)[number];
  /** The peer's interpreter; undefined for the default ones. */
  python: string | undefined;
  serviceEnvironment: Record<string, string>;
  /** The folder for the results. */
  out: string;
  writeDocs: boolean;
  check: boolean;
  help: boolean;
}

export const USAGE = `npm run bench -- [options]
  --pack LIST            model packs, measured one after the other (buffalo_sc_dq). "synthetic" needs neither weights nor
                         photographs. ${Object.keys(STAND_INS).join(' and ')} are made for the run and stand in for the large packs
  --models FOLDER        contains the packs (../shared/models)
  --photos FOLDER        photographs with faces (../shared/faces/lfw)
  --seconds N            measured time of each point (4)
  --quick                a rough run of at most 90 seconds
  --sizes LIST           of ${SIZES.join(',')} (all; without 12mp with --quick)
  --only LIST            of ${GROUPS.join(',')}
                         (all; of stand-ins ${LARGE_GROUPS.join(',')})
  --peer auto|off        also measure the Python peer where it is installed (auto)
  --python FILE          the peer's interpreter (BENCH_PYTHON, bench/peers/.venv/bin/python, python3)
  --service-env NAME=VALUE   a setting of the service, repeatable; recorded in the results
  --out FOLDER           for results.json, the tables and the curve (bench-out)
  --write-docs           also write the tables of docs/PERFORMANCE.md and the curve
  --check                exit with 1 when a measured floor is missed`;

/** @throws {Error} with a message for the terminal. */
export function readOptions(argv: string[]): BenchmarkOptions {
  const { values } = parseArgs({
    args: argv,
    options: {
      pack: { type: 'string', default: 'buffalo_sc_dq' },
      models: { type: 'string', default: '../shared/models' },
      photos: { type: 'string', default: '../shared/faces/lfw' },
      seconds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      sizes: { type: 'string' },
      only: { type: 'string' },
      peer: { type: 'string', default: 'auto' },
      python: { type: 'string' },
      'service-env': { type: 'string', multiple: true, default: [] },
      out: { type: 'string', default: 'bench-out' },
      'write-docs': { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { quick } = values;
  const seconds = Number(values.seconds ?? (quick ? 1 : 4));
  if (!(seconds > 0 && seconds <= 60)) throw new Error('--seconds: use a number above 0 and at most 60.');
  const packs = values.pack.split(',');
  if (packs.includes('')) throw new Error('--pack: the name of a pack is missing.');
  const only = values.only === undefined ? undefined : readList(values.only, GROUPS, '--only');
  if (only?.includes('open') && !only.includes('closed')) throw new Error('--only: open needs closed.');
  const defaultSizes = quick ? SIZES.filter((size) => size !== '12mp') : SIZES;
  return {
    packs,
    models: values.models,
    photos: values.photos,
    quick,
    seconds,
    // Short enough that a disturbance affects all systems alike, long enough for dozens of answers. In a shorter slice, the
    // first tenths of a second, in which an idle system comes up to speed, decide the figure.
    slice: Math.min(quick ? 0.5 : 3, seconds),
    sizes: values.sizes === undefined ? defaultSizes : readList(values.sizes, SIZES, '--sizes'),
    only,
    peer: readChoice(values.peer, PEER, '--peer'),
    python: values.python ?? process.env.BENCH_PYTHON,
    serviceEnvironment: Object.fromEntries(values['service-env'].map(splitSetting)),
    out: values.out,
    writeDocs: values['write-docs'],
    check: values.check,
    help: values.help,
  };
}

/** The options for one pack. */
export interface PackOptions extends Omit<BenchmarkOptions, 'packs' | 'only'> {
  pack: string;
  /** Whether the pack stands in for a large one: fewer things are measured, in longer slices. */
  large: boolean;
  only: readonly Group[];
}

export function optionsFor(pack: string, { packs: _, only, ...options }: BenchmarkOptions): PackOptions {
  if (!isStandIn(pack)) return { ...options, pack, large: false, only: only ?? GROUPS };
  const { slice, sizes, quick } = options;
  return {
    ...options,
    pack,
    large: true,
    only: only ?? LARGE_GROUPS,
    slice: quick ? slice : Math.max(slice, LARGE_SLICE),
    sizes: sizes.filter((size) => size !== '12mp'),
  };
}

/** Seconds in which a large pack answers a dozen requests. */
const LARGE_SLICE = 4;

function readList<T extends string>(text: string, accepted: readonly T[], option: string): T[] {
  return text.split(',').map((value) => readChoice(value, accepted, option));
}

function readChoice<T extends string>(value: string, accepted: readonly T[], option: string): T {
  const choice = accepted.find((each) => each === value);
  if (choice === undefined) throw new Error(`${option}: ${value} is unknown; use ${accepted.join(', ')}.`);
  return choice;
}

function splitSetting(text: string): [name: string, value: string] {
  const [, name, value] = /^([A-Z0-9_]+)=(.*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new Error(`--service-env: ${text} is not NAME=VALUE.`);
  return [name, value];
}
