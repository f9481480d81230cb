import { isMeasured, type OperatingPoint } from '../analysis.ts';
import { METRIC_NAMES } from '../statistics/scores.ts';
import type { CalibrationReport } from './report.ts';
import { count, evidenceSentence, rateLabel, shareWithInterval, thresholdLabel } from './words.ts';

const MAX_FAILURES = 20;
const HEAD = ['FAR at most', 'cosine ≤', 'euclidean ≤', 'similarity ≥', 'FAR measured', 'TAR'];

/** The thresholds and the failures as text. */
export function reportAsText({ figures, failures, model }: CalibrationReport): string {
  const { genuine_pairs: genuine, impostor_pairs: impostors, people, operating_points: points } = figures;
  return [
    `${model.embedding_space}: ${count(genuine)} genuine and ${count(impostors)} impostor pairs of ${count(people)} people`,
    '',
    ...alignColumns([HEAD, ...points.map(cellsOf)]),
    '',
    ...points.map((point) => `FAR ${rateLabel(point.target)}: ${evidenceSentence(point, impostors)}`),
    ...failuresAsText(failures),
  ].join('\n');
}

function cellsOf(point: OperatingPoint): string[] {
  const target = rateLabel(point.target);
  if (!isMeasured(point)) return [target, ...Array<string>(HEAD.length - 1).fill('–')];
  const { thresholds, far, tar } = point;
  const labels = METRIC_NAMES.map((metric) => thresholdLabel(thresholds[metric]));
  return [target, ...labels, shareWithInterval(far), shareWithInterval(tar)];
}

/** @param rows the first one is the head. */
export function alignColumns(rows: string[][]): string[] {
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
