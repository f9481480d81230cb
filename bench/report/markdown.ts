import { table as markdownTable } from '../../tools/markdown.ts';
import { judgeFloors } from '../floors.ts';
import type { SystemResult } from '../measures/closed-loop.ts';
import type { Responsiveness } from '../measures/health.ts';
import type { SystemName } from '../measures/scenarios.ts';
import { PICTURE_SIZES } from '../options.ts';
import type { PictureKind } from '../pictures/test-pictures.ts';
import type { Measurements } from '../results.ts';
import { MEMORY_MOMENTS } from '../servers/server-process.ts';
import { ratiosOfPairs, summarise } from '../statistics.ts';
import { formatFailures, formatNumber, formatSpread } from './numbers.ts';

/** Names of the systems in the tables. */
const SYSTEM_NAMES: Record<SystemName, string> = {
  service: 'service',
  service1: 'service, one worker',
  service4: 'service, four workers',
  fast: 'service, `detection=fast`',
  raw: 'service, raw body',
  reference: 'untouched ONNX Runtime, two threads',
  peer2: 'peer, two processes',
  peer1: 'peer, one process',
};
const KIND_SUFFIXES: Record<PictureKind, string> = {
  photographs: '',
  portraits: ', one large face',
  png: ' PNG',
};
const STAGES = ['decode', 'letterbox', 'detector', 'align', 'quality', 'recogniser'] as const;
const PERCENTILES = ['p50', 'p95', 'p99'] as const;
const RESPONSIVENESS = ['p50', 'p99', 'max'] as const;
const RESPONSIVENESS_HEAD = ['health p50, ms', 'p99', 'max', 'event-loop delay p50, ms', 'p99', 'max'];

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? 'Not measured in this run.' : markdownTable(head, rows);
}

export function floorsTable(results: Measurements): string {
  const rows = judgeFloors(results).map(({ figure, bound, floor, aim, measured, verdict }) => [
    figure.replace(/detection=fast/, '`$&`'),
    `${bound} ${formatNumber(floor)}`,
    formatNumber(aim),
    formatSpread(measured),
    verdict,
  ]);
  return table(['figure', 'floor', 'aim', 'measured', ''], rows);
}

export function inferenceTable({ inference = {} }: Measurements): string {
  const head = ['one thread', 'untouched, ms', 'rewritten, ms', 'speedup', 'minimum cosine of outputs'];
  const rows = Object.entries(inference).map(([name, { untouched, rewritten, speedup, cosine }]) => [
    name,
    formatSpread(untouched),
    formatSpread(rewritten),
    formatSpread(speedup),
    formatCosine(cosine),
  ]);
  return table(head, rows);
}

/** All cosines are close to 1; the difference is what matters. */
function formatCosine(cosine: number): string {
  return cosine >= 1 ? '1' : `1 − ${(1 - cosine).toExponential(0)}`;
}

export function stagesTable({ stages = [] }: Measurements): string {
  const rows = stages.map((row) => [
    row.picture,
    ...STAGES.map((name) => formatNumber(row.stages[name]?.median)),
    formatNumber(row.pure?.median),
    formatSpread(row.whole),
    formatSpread(row.around),
  ]);
  const stageHeads = STAGES.map((stage) => `${stage}, ms`);
  const ratioHeads = ['whole / untouched', 'all but inference / untouched'];
  return table(['picture', ...stageHeads, 'untouched, ms', ...ratioHeads], rows);
}

export function closedTable({ closed = [] }: Measurements): string {
  const rows = closed.flatMap(({ size, kind, connections, systems }) =>
    Object.entries(systems).map(([name, system]) => [
      `${PICTURE_SIZES[size].label}${KIND_SUFFIXES[kind]}`,
      String(connections),
      SYSTEM_NAMES[name as SystemName],
      formatSpread(system.throughput),
      ...PERCENTILES.map((key) => formatNumber(system.latency[key])),
      formatRatio(systems.service, system, 'throughput'),
      formatRatio(systems.service, system, 'p50'),
      formatFailures(system.failures),
    ]),
  );
  const head = ['picture', 'connections', 'system', 'answers per second', 'p50, ms', 'p95', 'p99'];
  return table([...head, 'service / this: throughput', 'service / this: p50', 'failures'], rows);
}

function formatRatio(
  service: SystemResult | undefined,
  system: SystemResult,
  key: 'throughput' | 'p50',
): string {
  if (service === undefined || service === system) return '1';
  const column = ({ slices }: SystemResult) => slices.map((slice) => slice[key]);
  return formatSpread(summarise(ratiosOfPairs(column(service), column(system))));
}

export function openTable({ open = [] }: Measurements): string {
  const rows = open.map((row) => [
    SYSTEM_NAMES[row.system],
    `${Math.round(row.fraction * 100)} %`,
    formatNumber(row.rate),
    formatNumber(row.answered),
    ...PERCENTILES.map((key) => formatNumber(row.latency[key])),
    formatNumber(row.latency.max),
    String(row.unfinished),
    formatFailures(row.failures),
  ]);
  const head = ['system', 'rate / capacity', 'requests per second', 'answers per second'];
  return table([...head, 'p50, ms', 'p95', 'p99', 'max', 'unfinished', 'failures'], rows);
}

export function overloadTable({ overload = [] }: Measurements): string {
  const rows = overload.map((row) => [
    PICTURE_SIZES[row.size].label,
    formatSpread(row.capacity),
    formatSpread(row.offered),
    formatSpread(row.throughput),
    formatNumber(row.work.answerMs),
    formatNumber(row.work.refusalMs),
    formatNumber(row.work.goodput),
    formatSpread(row.processors.capacity),
    formatSpread(row.processors.overload),
    formatFailures(row.failures),
  ]);
  const head = ['picture', 'capacity, answers per second', 'offered / capacity', 'answered / capacity'];
  const work = ['an answer, ms of processor time', 'a refusal', 'goodput / capacity'];
  return table([...head, ...work, 'processors at capacity', 'under overload', 'failures'], rows);
}

function responsivenessCells({ health, eventLoopDelay }: Responsiveness): string[] {
  return [
    ...RESPONSIVENESS.map((key) => formatNumber(health[key])),
    ...RESPONSIVENESS.map((key) => formatNumber(eventLoopDelay[key])),
  ];
}

export function healthTable({ health = [] }: Measurements): string {
  const rows = health.map((row) => [
    PICTURE_SIZES[row.size].label,
    String(row.connections),
    ...responsivenessCells(row),
  ]);
  return table(['load', 'connections', ...RESPONSIVENESS_HEAD], rows);
}

export function compareTable({ compare = [] }: Measurements): string {
  const rows = compare.map((row) => [
    row.count.toLocaleString('en'),
    row.format,
    formatNumber(row.first),
    formatSpread(row.later),
    ...responsivenessCells(row),
    formatFailures(row.failures),
  ]);
  return table(['references', 'as', 'first, ms', 'later, ms', ...RESPONSIVENESS_HEAD, 'failures'], rows);
}

export function startTable({ start = {}, memory = {} }: Measurements): string {
  const measured = new Set([...Object.keys(start), ...Object.keys(memory)]) as Set<keyof typeof memory>;
  const rows = [...measured].map((system) => [
    SYSTEM_NAMES[system],
    formatSpread(start[system]?.cold),
    formatSpread(start[system]?.warm),
    formatNumber(start[system]?.peak.cold),
    formatNumber(start[system]?.peak.warm),
    ...MEMORY_MOMENTS.map((moment) => formatNumber(memory[system]?.[moment])),
  ]);
  const head = [
    'system',
    'cold start, ms',
    'warm start, ms',
    'peak of the cold start, MiB',
    'of the warm start',
  ];
  return table([...head, 'idle', 'after ordinary pictures', 'peak under load', 'at the end'], rows);
}
