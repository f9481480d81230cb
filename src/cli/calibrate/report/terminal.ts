import { isMeasured, type OperatingPoint } from '../operating-point.ts';
import type { SearchFigures, SearchPoint } from '../search-figures.ts';
import { METRIC_NAMES } from '../statistics/scores.ts';
import { verdict } from './groups.ts';
import type { CalibrationReport } from './report.ts';
import { missing, targetsOf } from './search.ts';
import {
  count,
  evidenceSentence,
  percent,
  rateInterval,
  rateLabel,
  shareWithInterval,
  thresholdLabel,
} from './words.ts';

const MAX_FAILURES = 20;
const HEAD = ['FAR at most', 'cosine ≤', 'euclidean ≤', 'similarity ≥', 'FAR measured', 'TAR'];

/** The thresholds and the failures as text. */
export function reportAsText({ figures, failures, model }: CalibrationReport): string {
  const { genuine_pairs: genuine, impostor_pairs: impostors, people, operating_points: points } = figures;
  const verification = [
    'Is it this person? (verification, 1:1)',
    ...alignColumns([HEAD, ...points.map(cellsOf)]),
    '',
    ...points.map((point) => `FAR ${rateLabel(point.target)}: ${evidenceSentence(point, impostors)}`),
  ];
  const search = ['Who of N people is it? (search, 1:N)', ...searchAsText(figures.search)];
  const parts = figures.search.gallery ? [search, verification] : [verification, search];
  return [
    `${model.embedding_space}: ${count(genuine)} genuine and ${count(impostors)} impostor pairs of ${count(people)} people`,
    ...parts.flatMap((part) => ['', ...part]),
    ...(figures.groups.length > 0 ? ['', verdict(figures.groups)] : []),
    ...failuresAsText(failures),
  ].join('\n');
}

/** With the search that was asked for first, then the cosine thresholds for other sizes. */
function searchAsText(search: SearchFigures): string[] {
  const { gallery, sizes } = search;
  const targets = targetsOf(search).map((target) => `FPIR ≤ ${rateLabel(target)}`);
  const cellOf = ({ point }: SearchPoint) =>
    isMeasured(point) ? `cosine ≤ ${thresholdLabel(point.thresholds.cosine)}` : missing({ point });
  const table = alignColumns([
    ['people', ...targets],
    ...sizes.map(({ people, points }) => [count(people), ...points.map(cellOf)]),
  ]);
  if (gallery === undefined) return table;
  const { people, points, reason } = gallery;
  const rows = points.map(({ target, point, computed, fpir, fnir }) => [
    rateLabel(target),
    cellOf({ target, point }),
    computed ? rateInterval(computed) : '–',
    fpir ? percent(fpir.rate) : '–',
    fnir ? percent(fnir.rate) : '–',
  ]);
  const head = [
    `FPIR among ${count(people)}`,
    'threshold',
    '1 − (1 − FAR)^N',
    'FPIR, resampled',
    'FNIR, resampled',
  ];
  return [...alignColumns([head, ...rows]), ...(reason === undefined ? [] : [reason]), '', ...table];
}

function cellsOf(point: OperatingPoint): string[] {
  const target = rateLabel(point.target);
  if (!isMeasured(point)) return [target, ...Array<string>(HEAD.length - 1).fill('–')];
  const { thresholds, far, tar } = point;
  const labels = METRIC_NAMES.map((metric) => thresholdLabel(thresholds[metric]));
  return [target, ...labels, shareWithInterval(far), shareWithInterval(tar)];
}

function alignColumns(rows: string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function failuresAsText(failures: CalibrationReport['failures']): string[] {
  if (failures.length === 0) return [];
  const shown = failures.slice(0, MAX_FAILURES).map(({ image, code }) => `  ${image}: ${code}`);
  const rest = failures.length - shown.length;
  return [
    '',
    `${count(failures.length)} pictures gave no embedding:`,
    ...shown,
    ...(rest > 0 ? [`  and ${count(rest)} more, in report.json`] : []),
  ];
}
