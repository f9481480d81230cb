import { align } from '../../../../bench/report/terminal.ts';
import { count, evidenceInWords, interval, percent, rateLabel, thresholdLabel } from './words.ts';

const MOST_FAILURES = 20;

/** The table of thresholds and what failed, as text. */
export function reportAsText({ figures, failures, model }) {
  const rows = figures.operating_points.map((point) => {
    if (!point.thresholds) return [rateLabel(point.target), '–', '–', '–', '–', '–'];
    const { cosine, euclidean, similarity } = point.thresholds;
    return [
      rateLabel(point.target),
      ...[cosine, euclidean, similarity].map(thresholdLabel),
      `${percent(point.far.rate)} (${interval(point.far.interval)})`,
      `${percent(point.tar.rate)} (${interval(point.tar.interval)})`,
    ];
  });
  const head = ['FAR at most', 'cosine ≤', 'euclidean ≤', 'similarity ≥', 'FAR measured', 'TAR'];
  return [
    `${model.embedding_space}: ${count(figures.genuine_pairs)} genuine and ${count(figures.impostor_pairs)} impostor pairs of ` +
      `${count(figures.people)} people`,
    '',
    align([head, ...rows]),
    '',
    ...figures.operating_points.map(
      (point) => `FAR ${rateLabel(point.target)}: ${evidenceInWords(point, figures.impostor_pairs)}`,
    ),
    ...failuresInWords(failures),
  ].join('\n');
}

function failuresInWords(failures) {
  if (failures.length === 0) return [];
  const shown = failures.slice(0, MOST_FAILURES).map(({ image, code }) => `  ${image}: ${code}`);
  const rest = failures.length - shown.length;
  return [
    '',
    `${count(failures.length)} pictures gave no embedding:`,
    ...shown,
    ...(rest > 0 ? [`  and ${count(rest)} more, in report.json`] : []),
  ];
}
