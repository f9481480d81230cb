import { parseArgs } from 'node:util';

/** What can be measured; `--only` takes some of them. The rates of the open loop are fractions of what the closed loop finds. */
export const GROUPS = ['inference', 'stages', 'closed', 'open', 'health', 'compare', 'start'];
export const PICTURE_SIZES = {
  250: { label: '250×250', width: 250, height: 250 },
  1280: { label: '1280×960', width: 1280, height: 960 },
  '12mp': { label: '12 megapixels', width: 4000, height: 3000 },
};

const QUICK_SIZES = '250,1280';

export const USAGE = `npm run bench -- [options]
  --pack NAME            model pack (buffalo_sc_dq; "synthetic" needs neither weights nor photographs)
  --models FOLDER        holds the pack (../shared/models)
  --photos FOLDER        photographs with faces (../shared/faces/lfw)
  --seconds N            measured time of each point (4)
  --quick                a rough run of at most 90 seconds
  --sizes LIST           of ${Object.keys(PICTURE_SIZES).join(',')} (all; without 12mp when quick)
  --only LIST            of ${GROUPS.join(',')} (all)
  --peer auto|off        measure the Python peer beside the service where it is installed (auto)
  --python FILE          its interpreter (BENCH_PYTHON, bench/peers/.venv/bin/python, python3)
  --service-env NAME=VALUE   a setting of the service, repeatable; recorded in the results
  --out FOLDER           for results.json, the tables and the curve (bench-out)
  --write-docs           also write docs/PERFORMANCE.md's tables and the curve
  --check                exit with 1 when a measured floor is missed
  --no-build             use dist/ as it is`;

/** @throws {Error} with a sentence for the terminal. */
export function readOptions(argv) {
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
      'no-build': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { quick } = values;
  const seconds = Number(values.seconds ?? (quick ? 1 : 4));
  if (!(seconds > 0 && seconds <= 60))
    throw new Error('--seconds is not accepted; accepted is a number up to 60.');
  if (!['auto', 'off'].includes(values.peer))
    throw new Error('--peer is not accepted; accepted is auto, off.');
  const only = pick(values.only, GROUPS, '--only');
  if (only.includes('open') && !only.includes('closed')) throw new Error('--only: open needs closed.');
  return {
    pack: values.pack,
    models: values.models,
    photos: values.photos,
    quick,
    seconds,
    // Short, so that noise of the machine hits all that is compared; long enough for dozens of answers.
    // Shorter ones are decided by their first tenths, in which a system that was idle comes up to speed.
    slice: Math.min(quick ? 0.5 : 3, seconds),
    sizes: pick(values.sizes ?? (quick ? QUICK_SIZES : undefined), Object.keys(PICTURE_SIZES), '--sizes'),
    only,
    peer: values.peer,
    python: values.python ?? process.env.BENCH_PYTHON,
    serviceEnvironment: Object.fromEntries(values['service-env'].map(splitSetting)),
    out: values.out,
    writeDocs: values['write-docs'],
    check: values.check,
    build: !values['no-build'],
    help: values.help,
  };
}

function pick(text, accepted, option) {
  if (text === undefined) return accepted;
  const wanted = text.split(',');
  const unknown = wanted.find((name) => !accepted.includes(name));
  if (unknown !== undefined)
    throw new Error(`${option}: ${unknown} is not accepted; accepted is ${accepted.join(', ')}.`);
  return wanted;
}

function splitSetting(text) {
  const [, name, value] = /^([A-Z0-9_]+)=(.*)$/.exec(text) ?? [];
  if (name === undefined) throw new Error(`--service-env: ${text} is not accepted; accepted is NAME=VALUE.`);
  return [name, value];
}
