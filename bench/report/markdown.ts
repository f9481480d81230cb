import { judgeFloors } from '../floors.ts';
import { PICTURE_SIZES } from '../options.ts';
import { ratiosOfPairs, summarise } from '../statistics.ts';
import { failuresInWords, short, withSpread } from './numbers.ts';

/** What the systems are called in the tables. */
export const SYSTEM_NAMES = {
  service: 'service',
  fast: 'service, `detection=fast`',
  raw: 'service, raw body',
  reference: 'untouched ONNX Runtime, two threads',
  peer2: 'peer, two processes',
  peer1: 'peer, one process',
};
const KINDS = { photographs: '', portraits: ', one large face', png: ' PNG' };

/** Section → Markdown, as it stands between the markers of docs/PERFORMANCE.md. */
export function renderSections(results) {
  return {
    machine: machineTable(results),
    floors: floorsTable(results),
    inference: inferenceTable(results),
    stages: stagesTable(results),
    closed: closedTable(results),
    open: openTable(results),
    health: healthTable(results),
    compare: compareTable(results),
    start: startTable(results),
  };
}

function table(head, rows) {
  if (rows.length === 0) return 'Not measured in this run.';
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const pictureName = ({ size, kind }) => `${PICTURE_SIZES[size].label}${KINDS[kind]}`;

function machineTable({ machine, pack, plan, peer, sameAnswers, fastAnswers }) {
  const versions = (list) =>
    Object.entries(list)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ');
  const settings = Object.entries(plan.serviceEnvironment).map(([name, value]) => `\`${name}=${value}\``);
  const rows = [
    ['machine', `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.platform}`],
    ['load average before', short(machine.loadBefore)],
    ['service', `${machine.commit ?? 'unknown'}; ${versions(machine.versions)}`],
    ['settings', ['`WORKERS=2`', ...settings].join(', ')],
    ['pack', pack.name],
    ['peer', peer ? versions(peer.versions) : 'none'],
    ['seconds a point', `${plan.seconds}${plan.quick ? ' (a quick, rough run)' : ''}`],
  ];
  if (sameAnswers)
    rows.push([
      'same answers',
      `${sameAnswers.count} pictures, least cosine ${sameAnswers.least.toFixed(6)}`,
    ]);
  if (fastAnswers)
    rows.push(['`detection=fast`', `${fastAnswers.changed} of ${fastAnswers.count} embeddings changed`]);
  return table(['', ''], rows);
}

function floorsTable(results) {
  const rows = judgeFloors(results).map(({ figure, bound, floor, aim, measured, verdict }) => [
    figure.replace(/detection=fast/, '`$&`'),
    `${bound} ${short(floor)}`,
    short(aim),
    withSpread(measured),
    verdict,
  ]);
  return table(['figure', 'floor', 'aim', 'measured', ''], rows);
}

function inferenceTable({ inference = {} }) {
  const rows = Object.entries(inference).map(([name, { untouched, rewritten, speedup, cosine }]) => [
    name,
    withSpread(untouched),
    withSpread(rewritten),
    withSpread(speedup),
    likeness(cosine),
  ]);
  return table(
    ['one thread', 'untouched, ms', 'rewritten, ms', 'faster by', 'least cosine of outputs'],
    rows,
  );
}

/** So close to 1 that only the distance from it says something. */
function likeness(cosine) {
  if (cosine === undefined) return '–';
  return cosine >= 1 ? '1' : `1 − ${(1 - cosine).toExponential(0)}`;
}

/** `letterbox` is all of detection that is not inference. */
const STAGES = ['decode', 'letterbox', 'detector', 'align', 'quality', 'recogniser'];

function stagesTable({ stages = [] }) {
  const rows = stages.map(({ picture, pure, stages: each, whole, around }) => [
    picture,
    ...STAGES.map((name) => short(each[name]?.median)),
    short(pure.median),
    withSpread(whole),
    withSpread(around),
  ]);
  return table(
    [
      'picture',
      ...STAGES.map((stage) => `${stage}, ms`),
      'untouched, ms',
      'whole beside untouched',
      'all but inference beside untouched',
    ],
    rows,
  );
}

function closedTable({ closed = [] }) {
  const rows = closed.flatMap((duel) =>
    Object.entries(duel.systems).map(([name, system]) => {
      const { throughput, latency, failures, slices } = system;
      const ours = duel.systems.service?.slices;
      const ratio = (key) =>
        name === 'service' || !ours
          ? '1'
          : withSpread(
              summarise(
                ratiosOfPairs(
                  ours.map((each) => each[key]),
                  slices.map((each) => each[key]),
                ),
              ),
            );
      return [
        pictureName(duel),
        duel.connections,
        SYSTEM_NAMES[name],
        withSpread(throughput),
        ...['p50', 'p95', 'p99'].map((key) => short(latency[key])),
        ratio('throughput'),
        ratio('p50'),
        failuresInWords(failures),
      ];
    }),
  );
  const head = ['picture', 'connections', 'system', 'answers a second', 'p50, ms', 'p95', 'p99'];
  return table([...head, 'service’s throughput beside it', 'service’s p50 beside it', 'failures'], rows);
}

function openTable({ open = [] }) {
  const rows = open.map(({ system, fraction, rate, answered, latency, unfinished, failures }) => [
    SYSTEM_NAMES[system],
    `${Math.round(fraction * 100)} %`,
    short(rate),
    short(answered),
    ...['p50', 'p95', 'p99', 'max'].map((key) => short(latency[key])),
    unfinished,
    failuresInWords(failures),
  ]);
  const head = [
    'system',
    'rate of its capacity',
    'due a second',
    'answered',
    'p50, ms',
    'p95',
    'p99',
    'longest',
  ];
  return table([...head, 'unfinished', 'failures'], rows);
}

const mainThreadColumns = ({ health, eventLoopDelay }) => [
  ...['p50', 'p99', 'max'].map((key) => short(health[key])),
  ...['p50', 'p99', 'max'].map((key) => short(eventLoopDelay[key])),
];
const MAIN_THREAD_HEAD = ['health p50, ms', 'p99', 'longest', 'event-loop delay p50, ms', 'p99', 'longest'];

function healthTable({ health = [] }) {
  const rows = health.map((row) => [
    PICTURE_SIZES[row.size].label,
    row.connections,
    ...mainThreadColumns(row),
  ]);
  return table(['under load of', 'connections', ...MAIN_THREAD_HEAD], rows);
}

function compareTable({ compare = [] }) {
  const rows = compare.map((row) => [
    row.count.toLocaleString('en'),
    row.format,
    short(row.first),
    withSpread(row.later),
    ...mainThreadColumns(row),
    failuresInWords(row.failures),
  ]);
  return table(['references', 'as', 'first, ms', 'later, ms', ...MAIN_THREAD_HEAD, 'failures'], rows);
}

function startTable({ start, memory = {} }) {
  const systems = [...new Set([...Object.keys(start ?? {}), ...Object.keys(memory)])];
  const both = (figure) => (figure ? `${short(figure.resident)} / ${short(figure.proportional)}` : '–');
  const rows = systems.map((system) => [
    SYSTEM_NAMES[system],
    withSpread(start?.[system]),
    ...['idle', 'ordinary', 'peak', 'after'].map((moment) => both(memory[system]?.[moment])),
  ]);
  return table(
    ['system', 'start to ready, ms', 'memory idle, MiB', 'after ordinary pictures', 'most', 'at the end'],
    rows,
  );
}
