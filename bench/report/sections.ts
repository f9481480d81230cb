import type { Results } from '../results.ts';
import { isStandIn, STAND_INS } from '../standins/pack.ts';
import {
  closedTable,
  compareTable,
  floorsTable,
  healthTable,
  inferenceTable,
  openTable,
  overloadTable,
  stagesTable,
  startTable,
  table,
} from './markdown.ts';
import { formatNumber } from './numbers.ts';

/** Name of the markers in docs/PERFORMANCE.md → Markdown, without those for packs that were not measured. */
export function renderSections(results: readonly Results[]): Record<string, string> {
  const ordinary = ordinaryOf(results);
  const large = results.filter(({ pack }) => pack.large);
  return {
    ...(large.length > 0 && { large: large.map(largePack).join('\n\n') }),
    ...(ordinary && ordinarySections(ordinary)),
  };
}

/** The pack that all sections but one are about. */
export function ordinaryOf(results: readonly Results[]): Results | undefined {
  return results.find(({ pack }) => !pack.large);
}

function ordinarySections(results: Results): Record<string, string> {
  return {
    machine: machineTable(results),
    floors: floorsTable(results),
    inference: inferenceTable(results),
    stages: stagesTable(results),
    closed: closedTable(results),
    open: openTable(results),
    overload: overloadTable(results),
    health: healthTable(results),
    compare: compareTable(results),
    start: startTable(results),
  };
}

function largePack(results: Results): string {
  const { name } = results.pack;
  const description = isStandIn(name) ? `Stands in ${STAND_INS[name].description}.` : '';
  return [
    `### ${name}`,
    description,
    machineTable(results),
    closedTable(results),
    startTable(results),
    inferenceTable(results),
  ].join('\n\n');
}

function machineTable({ machine, pack, plan, peer, sameAnswers, fastAnswers }: Results): string {
  const settings = Object.entries(plan.serviceEnvironment).map(([name, value]) => `\`${name}=${value}\``);
  const rows = [
    ['machine', `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.platform}`],
    ['load average before', formatNumber(machine.loadBefore)],
    ['service', `${machine.commit ?? 'unknown'}; ${formatVersions(machine.versions)}`],
    ['settings', ['`WORKERS=2`', ...settings].join(', ')],
    ['pack', pack.name],
    ['peer', peer ? formatVersions(peer.versions) : 'none'],
    ['seconds per point', `${plan.seconds}${plan.quick ? ' (a quick, rough run)' : ''}`],
  ];
  if (sameAnswers) {
    const { count, least } = sameAnswers;
    rows.push(['same answers', `${count} pictures, minimum cosine ${least.toFixed(6)}`]);
  }
  if (fastAnswers) {
    const { changed, count } = fastAnswers;
    rows.push(['`detection=fast`', `${changed} of ${count} embeddings changed`]);
  }
  return table(['', ''], rows);
}

function formatVersions(versions: Record<string, string>): string {
  return Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
}
