import type { Figures, ReviewPair } from '../analysis.ts';
import { isMeasured, type RatedThreshold } from '../operating-point.ts';
import type { Share } from '../statistics/intervals.ts';
import { METRIC_NAMES } from '../statistics/scores.ts';
import type { ChartFile, Charts } from './charts/charts.ts';
import { groupSection } from './groups.ts';
import { asText, fact, figure, renderHtml, table } from './html.ts';
import type { CalibrationReport } from './report.ts';
import { searchSection } from './search.ts';
import { intervalIn } from './thresholds-file.ts';
import {
  caveats,
  condition,
  count,
  evidenceSentence,
  interval,
  percent,
  QUALITY_LABELS,
  rateLabel,
  shareWithInterval,
  thresholdLabel,
} from './words.ts';

/** The report as one HTML page that loads nothing. */
export function renderPage(report: CalibrationReport, charts: Charts): string {
  const { figures, model, created, source, pictures, failures } = report;
  const title = `Thresholds measured for ${asText(model.name)}`;
  // First the question that was asked.
  const sections = [verificationSection(figures), searchSection(figures.search)];
  if (figures.search.gallery) sections.reverse();
  const space = `<code>${asText(model.embedding_space)}</code>`;
  return renderHtml(
    title,
    `<h1>${title}</h1>
<p class="quiet">${asText(source)} · ${asText(created.slice(0, 10))} · embedding space ${space}</p>
<div class="facts">
${fact(count(figures.genuine_pairs), 'pairs of the same person')}
${fact(count(figures.impostor_pairs), 'pairs of different people')}
${fact(count(figures.people), 'people')}
${fact(count(pictures.embedded), `of ${count(pictures.total)} pictures embedded`)}
${fact(percent(figures.lowest_far), 'lowest FAR that these pairs can show')}
</div>
${sections.join('\n')}
${groupSection(figures)}
<h2>What these pairs can and cannot show</h2>
<ul>
${caveats(report)
  .map((note) => `<li>${asText(note)}</li>`)
  .join('\n')}
</ul>
<h2>Curves</h2>
${(Object.entries(charts) as [ChartFile, string][])
  .map(([file, svg]) => figure(svg, ...CAPTIONS[file](figures)))
  .join('\n')}
<h2>Summary figures</h2>
<p>Both thresholds are chosen on the same pairs that they are measured on, so new pairs give worse results. Neither is the
operating point of a service for which one kind of error is worse than the other.</p>
${summaryTable(figures)}
<h2>Pairs to review</h2>
<p>The nearest pairs of different people and the most distant pairs of the same person. Wrong labels show up here, and they
distort every figure above: check these pairs before you rely on a threshold.</p>
${pairTable('Different people, nearest first', figures.look_at.impostors, figures)}
${pairTable('Same person, most distant first', figures.look_at.genuine, figures)}
${failureSection(failures)}
<h2>Use the thresholds</h2>
<p>Copy <code>thresholds.json</code> into the folder of the model pack and restart the service: <code>/v1/model-info</code> then
lists the thresholds as long as the embedding space is ${space}, and <code>/v1/compare</code> says how sure each match is. Send the
rate that you tolerate as <code>max_far</code> or <code>max_fpir</code>, or a threshold as <code>threshold</code>; or use it in the
query of your database.</p>
<p class="quiet">Service ${asText(model.service_version)}; detection ${asText(model.detection)}, detection threshold ${model.detection_threshold}; weights: ${asText(model.licence)}</p>
`,
  );
}

function verificationSection(figures: Figures): string {
  return `<h2>Is it this person? Verification, 1:1</h2>
<p>One comparison decides. Two faces match if their distance is at most the threshold, or their similarity at least the threshold.
FAR is the share of pairs of different people that match, TAR the share of pairs of the same person that match. Small figures are
95 % intervals.</p>
${thresholdTable(figures)}
<p>${noFalseAccept(figures)}</p>`;
}

function thresholdTable({ operating_points: points, impostor_pairs: impostors }: Figures): string {
  const rows = points.map((point) => {
    const target = rateLabel(point.target);
    const evidence = asText(evidenceSentence(point, impostors));
    if (!isMeasured(point)) return `<tr class="none"><td>${target}</td><td colspan="6">${evidence}</td></tr>`;
    const cells = METRIC_NAMES.map((metric) => {
      const range = point.threshold_interval && intervalIn(metric, point.threshold_interval);
      const small = range ? `<small>${range[0]} – ${range[1]}</small>` : '';
      return `<td>${thresholdLabel(point.thresholds[metric])}${small}</td>`;
    });
    return `<tr><td>${target}</td>${cells.join('')}${rateCells(point)}<td class="words">${evidence}</td></tr>`;
  });
  const head = [
    'FAR at most',
    'cosine distance ≤',
    'euclidean distance ≤',
    'similarity ≥',
    'FAR measured',
    'TAR',
    'evidence',
  ];
  return table(head, rows);
}

const rateCells = ({ far, tar }: RatedThreshold) => rateCell(far) + rateCell(tar);

const rateCell = (share: Share) =>
  `<td>${percent(share.rate)}<small>${interval(share.interval)}</small><small>${count(share.count)} of ${count(share.of)}</small></td>`;

function noFalseAccept({
  no_false_accept: point,
  impostor_pairs: impostors,
  lowest_far: lowest,
}: Figures): string {
  if (!point)
    return 'The nearest pair of all is a pair of different people, so every threshold has false accepts.';
  return (
    `None of the ${count(impostors)} impostor pairs is accepted at ${condition('cosine', point.thresholds.cosine)}, where the ` +
    `TAR is ${shareWithInterval(point.tar)}. This does not show a FAR of 0: the 95 % limit is ` +
    `${percent(point.far.interval[1])} by Wilson's interval and ${percent(lowest)} by the rule of 3.`
  );
}

function summaryTable(figures: Figures): string {
  const {
    equal_error_rate: eer,
    best_accuracy: best,
    genuine_pairs: genuine,
    impostor_pairs: impostors,
  } = figures;
  const row = (name: string, value: number, point: RatedThreshold, note: string) =>
    `<tr><td>${name}</td><td>${percent(value)}</td><td>${thresholdLabel(point.thresholds.cosine)}</td>${rateCells(point)}<td class="words">${note}</td></tr>`;
  return table(
    ['figure', 'value', 'cosine distance ≤', 'FAR', 'TAR', ''],
    [
      row(
        'equal error rate',
        eer.rate,
        eer,
        'False accepts and false rejects are equally frequent here, or nearest to it.',
      ),
      row(
        'best accuracy',
        best.accuracy,
        best,
        `Share of correct decisions. It depends on the ratio of genuine to impostor pairs, here ${count(genuine)} to ${count(impostors)}.`,
      ),
    ],
  );
}

function pairTable(title: string, pairs: ReviewPair[], { quality: { measure } }: Figures): string {
  const rows = pairs.map(
    ({ image_a, image_b, distance, quality }) =>
      `<tr><td class="wrap">${asText(image_a)}</td><td class="wrap">${asText(image_b)}</td><td>${distance.toFixed(4)}</td><td>${quality.toFixed(3)}</td></tr>`,
  );
  return table([title, '', 'cosine distance', QUALITY_LABELS[measure]], rows);
}

function failureSection(failures: CalibrationReport['failures']): string {
  if (failures.length === 0) return '';
  const rows = failures.map(
    ({ image, code, reason }) =>
      `<tr><td class="wrap">${asText(image)}</td><td><code>${asText(code)}</code></td><td>${asText(reason)}</td></tr>`,
  );
  return `<h2>Pictures that gave no embedding</h2>\n${table(['picture', 'error', ''], rows)}`;
}

const CAPTIONS: Record<ChartFile, (figures: Figures) => [title: string, caption: string]> = {
  'score-histogram.svg': () => [
    'Distances of both kinds of pairs',
    'The less the two distributions overlap, the better the two kinds are separated. Dashed: the thresholds of the table.',
  ],
  'roc.svg': () => [
    'Receiver operating characteristic (ROC)',
    'The TAR at each FAR. In the shaded range there are too few impostor pairs to measure a FAR (rule of 3).',
  ],
  'det.svg': () => [
    'Detection error trade-off (DET)',
    'Both errors against each other, on the scale of normal deviates. On the edges marked 0, no error of that kind occurred.',
  ],
  'quality-scores.svg': ({ quality }) => [
    'Distance over quality',
    `Each dot is a pair; a very large class is sampled. The horizontal axis is the ${QUALITY_LABELS[quality.measure]} of the poorer picture.`,
  ],
  'quality-error.svg': ({ quality: { measure, curve } }) => [
    'Error versus discard',
    curve === undefined
      ? ''
      : `The effect of a minimum ${QUALITY_LABELS[measure]}: the false reject rate at a distance of ${curve.threshold.toFixed(4)} as the ` +
        `poorest pairs are discarded. Before that, it rejects ${count(curve.rejects)} pairs. Mean of the curve ${percent(curve.area)}; of a ` +
        `perfect quality ${percent(curve.idealArea)}; of an uninformative quality ${percent(curve.flatArea)}.`,
  ],
};
