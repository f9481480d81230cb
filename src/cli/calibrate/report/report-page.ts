import { intervalIn } from './thresholds-file.ts';
import {
  caveats,
  condition,
  count,
  evidenceInWords,
  interval,
  percent,
  QUALITY_WORDS,
  rateLabel,
  thresholdLabel,
} from './words.ts';

const STYLE = `
  :root { color-scheme: light; }
  body { margin: 0; background: #f6f6f4; color: #1c1c1c; font: 16px/1.5 system-ui, sans-serif; }
  main { max-width: 1000px; margin: 0 auto; padding: 32px 24px 64px; }
  h1 { font-size: 1.7rem; margin: 0 0 4px; } h2 { font-size: 1.2rem; margin: 40px 0 8px; }
  p, li { max-width: 75ch; } .quiet { color: #5a5a5a; } code { font-size: .92em; overflow-wrap: anywhere; }
  .facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 24px 0; }
  .facts div { background: #fff; border: 1px solid #ddd; border-radius: 8px; padding: 12px 16px; }
  .facts b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums; } .facts span { color: #5a5a5a; font-size: .85rem; }
  .scroll + .scroll { margin-top: 16px; }
  .scroll { overflow-x: auto; background: #fff; border: 1px solid #ddd; border-radius: 8px; }
  table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; }
  th, td { text-align: left; padding: 8px 12px; border-bottom: 1px solid #e6e6e6; vertical-align: top; }
  th { font-weight: 600; background: #fafafa; } tbody tr:last-child td { border-bottom: 0; }
  td small { display: block; color: #5a5a5a; white-space: nowrap; } td.words { min-width: 20ch; }
  tr.none td { color: #7a4a00; background: #fff8ec; }
  .wrap { overflow-wrap: anywhere; }
  figure { margin: 16px 0 32px; background: #fff; border: 1px solid #ddd; border-radius: 8px; padding: 16px; }
  figure svg { display: block; max-width: 100%; height: auto; margin: 0 auto; } figcaption { color: #444; font-size: .92rem; margin-top: 8px; max-width: 80ch; }
  @media print { body { background: #fff; } figure, .scroll { break-inside: avoid; } }
`;

/**
 * The report as one page that loads nothing.
 *
 * @param report what report.json holds. @param charts file name → SVG text.
 */
export function renderPage(report, charts) {
  const { figures, model, created, source, pictures, failures } = report;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Thresholds measured for ${asText(model.name)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Thresholds measured for ${asText(model.name)}</h1>
<p class="quiet">${asText(source)} · ${asText(created.slice(0, 10))} · embedding space <code>${asText(model.embedding_space)}</code></p>
<div class="facts">
${fact(count(figures.genuine_pairs), 'pairs of one person')}
${fact(count(figures.impostor_pairs), 'pairs of different people')}
${fact(count(figures.people), 'people')}
${fact(count(pictures.embedded), `of ${count(pictures.total)} pictures embedded`)}
${fact(percent(figures.lowest_far), 'lowest FAR that these pairs can show')}
</div>
<h2>Thresholds</h2>
<p>Two faces match when their distance is at most the threshold, or their similarity at least. FAR is the share of pairs of
different people that match by mistake, TAR the share of pairs of one person that match. Small figures are 95 % intervals.</p>
${thresholdTable(figures)}
<p>${noFalseAccept(figures)}</p>
<h2>What these pairs can and cannot carry</h2>
<ul>
${caveats(report)
  .map((note) => `<li>${asText(note)}</li>`)
  .join('\n')}
</ul>
<h2>Curves</h2>
${Object.entries(charts)
  .map(([file, svg]) => figure(svg, ...CAPTIONS[file](figures)))
  .join('\n')}
<h2>Summary figures</h2>
<p>Both are chosen on the very pairs they are told of, so new pairs will do worse; and neither is the working point of a
service that cares more about one kind of error.</p>
${summaryTable(figures)}
<h2>Pairs to look at</h2>
<p>The nearest pairs of different people and the most distant pairs of one person. Wrong labels end up here; they spoil
every figure above, so look before you trust a threshold.</p>
${pairTable('Different people, nearest first', figures.look_at.impostors, figures)}
${pairTable('One person, most distant first', figures.look_at.genuine, figures)}
${failureSection(failures)}
<h2>Use them</h2>
<p>Copy <code>thresholds.json</code> into the folder of the model pack and start the service again: <code>/v1/model-info</code> then
lists the thresholds, for as long as the embedding space is <code>${asText(model.embedding_space)}</code>. Send the one you choose as <code>threshold</code> to
<code>/v1/compare</code>, or use it in your database's query.</p>
<p class="quiet">Service ${asText(model.service_version)}; detection ${asText(model.detection)}, detection threshold ${model.detection_threshold}; weights: ${asText(model.licence)}</p>
</main>
</body>
</html>
`;
}

const fact = (value, name) => `<div><b>${value}</b><span>${name}</span></div>`;

function thresholdTable({ operating_points: points, impostor_pairs: impostors }) {
  const rows = points.map((point) => {
    const words = asText(evidenceInWords(point, impostors));
    if (!point.thresholds)
      return `<tr class="none"><td>${rateLabel(point.target)}</td><td colspan="6">${words}</td></tr>`;
    const threshold = (metric) => {
      const range = point.threshold_interval && intervalIn(metric, point.threshold_interval);
      return `<td>${thresholdLabel(point.thresholds[metric])}${range ? `<small>${range[0]} – ${range[1]}</small>` : ''}</td>`;
    };
    const cells = ['cosine', 'euclidean', 'similarity'].map(threshold).join('');
    return `<tr><td>${rateLabel(point.target)}</td>${cells}${rateCell(point.far)}${rateCell(point.tar)}<td class="words">${words}</td></tr>`;
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

const rateCell = (rate) =>
  `<td>${percent(rate.rate)}<small>${interval(rate.interval)}</small><small>${count(rate.count)} of ${count(rate.of)}</small></td>`;

function noFalseAccept({ no_false_accept: point, impostor_pairs: impostors }) {
  if (!point)
    return 'The nearest pair of all is one of different people: no threshold is without a false accept.';
  return (
    `None of the ${count(impostors)} impostor pairs is accepted at ${condition('cosine', point.thresholds.cosine)}, where the TAR is ` +
    `${percent(point.tar.rate)} (${interval(point.tar.interval)}). That is no FAR of 0: the 95 % limit is ${percent(point.far.interval[1])} by ` +
    `Wilson, ${percent(Math.min(1, 3 / impostors))} by the rule of 3.`
  );
}

function summaryTable({
  equal_error_rate: eer,
  best_accuracy: best,
  genuine_pairs: genuine,
  impostor_pairs: impostors,
}) {
  const row = (name, value, { thresholds, far, tar }, note) =>
    `<tr><td>${name}</td><td>${percent(value)}</td><td>${thresholdLabel(thresholds.cosine)}</td>${rateCell(far)}${rateCell(tar)}<td class="words">${note}</td></tr>`;
  return table(
    ['figure', 'value', 'cosine distance ≤', 'FAR', 'TAR', ''],
    [
      row(
        'equal error rate',
        eer.rate,
        eer,
        'Where false accepts and false rejects are equally frequent, or nearest to it.',
      ),
      row(
        'best accuracy',
        best.accuracy,
        best,
        `Share of right decisions; it depends on the mix, here ${count(genuine)} to ${count(impostors)}.`,
      ),
    ],
  );
}

function pairTable(title, pairs, { quality: { measure } }) {
  const rows = pairs.map(
    ({ image_a, image_b, distance, quality }) =>
      `<tr><td class="wrap">${asText(image_a)}</td><td class="wrap">${asText(image_b)}</td><td>${distance.toFixed(4)}</td><td>${quality.toFixed(3)}</td></tr>`,
  );
  return table([title, '', 'cosine distance', QUALITY_WORDS[measure]], rows);
}

function failureSection(failures) {
  if (failures.length === 0) return '';
  const rows = failures.map(
    ({ image, code, reason }) =>
      `<tr><td class="wrap">${asText(image)}</td><td><code>${asText(code)}</code></td><td>${asText(reason)}</td></tr>`,
  );
  return `<h2>Pictures that gave no embedding</h2>\n${table(['picture', 'error', ''], rows)}`;
}

function table(head, rows) {
  const cells = head.map((name) => `<th scope="col">${asText(name)}</th>`).join('');
  return `<div class="scroll"><table><thead><tr>${cells}</tr></thead><tbody>\n${rows.join('\n')}\n</tbody></table></div>`;
}

/** File name → figures → [title, caption]. */
const CAPTIONS = {
  'score-histogram.svg': () => [
    'Distances of both kinds of pairs',
    'The less both hills overlap, the better the two kinds are told apart. Dashed: the thresholds of the table.',
  ],
  'roc.svg': () => [
    'Receiver operating characteristic (ROC)',
    'The TAR that each FAR buys. Within the shaded part the pairs are too few to measure a FAR (rule of 3).',
  ],
  'det.svg': () => [
    'Detection error trade-off (DET)',
    'Both errors against each other, on normal deviates. On the edges marked 0, no error of that kind was seen.',
  ],
  'quality-scores.svg': ({ quality }) => [
    'Distance over quality',
    `Each dot is a pair, of a class with very many only some; across, the ${QUALITY_WORDS[quality.measure]} of its poorer picture.`,
  ],
  'quality-error.svg': ({ quality: { measure, curve } }) => [
    'Error versus discard',
    `What a gate on the ${QUALITY_WORDS[measure]} would buy: false rejects at a distance of ${curve.threshold.toFixed(4)}, which rejects ` +
      `${count(curve.rejects)} pairs at first, as the poorest pairs are discarded. Mean over the curve ${percent(curve.area)}, of a perfect quality ` +
      `${percent(curve.idealArea)}, of one that says nothing ${percent(curve.flatArea)}.`,
  ],
};

function figure(svg, title, caption) {
  const drawing = svg.replace('<svg ', `<svg role="img" aria-label="${asText(title)}" `);
  return `<figure>${drawing}<figcaption><b>${asText(title)}.</b> ${asText(caption)}</figcaption></figure>`;
}

function asText(text) {
  return String(text).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
