import { asText, fact, figure, renderHtml, table } from '../report/html.ts';
import { count, interval, percent, rateLabel } from '../report/words.ts';
import type { Share } from '../statistics/intervals.ts';
import type { ChosenThreshold, RatesAtThreshold } from './rates.ts';
import type { LivenessReport, ReviewPicture } from './report.ts';
import { evidenceText, livenessCaveats, targetText, thresholdText } from './words.ts';

export interface LivenessCharts {
  'liveness-scores.svg': string;
  'liveness-rates.svg': string;
}

/** The report as one HTML page that loads nothing. */
export function renderLivenessPage(report: LivenessReport, charts: LivenessCharts): string {
  const { model, created, source, live_pictures, spoof_pictures, kinds, chosen, failures } = report;
  const title = `Liveness measured for ${asText(model.name)}`;
  const listed = Object.entries(kinds).map(([kind, pictures]) => `${kind}: ${count(pictures)}`);
  return renderHtml(
    title,
    `<h1>${title}</h1>
<p class="quiet">${asText(source)} · ${asText(created.slice(0, 10))} · boxes of the pack ${asText(model.pack)}</p>
<div class="facts">
${fact(count(live_pictures), 'live faces')}
${fact(count(spoof_pictures), `spoofs (${asText(listed.join(', '))})`)}
${chosen.rates ? fact(thresholdText(chosen.rates.threshold), `threshold for an ${targetText(chosen)}`) : ''}
</div>
<h2>Rates</h2>
<p>A face is live if its score is at least the threshold. APCER is the share of the worst kind of spoofs that are called live, BPCER
the share of live faces that are called spoofs, ACER the mean of both. Small figures are 95 % intervals.</p>
${chosenTable([chosen, ...report.operating_points])}
${rateTable(report.by_threshold)}
<h2>What these pictures can and cannot show</h2>
<ul>
${livenessCaveats(report)
  .map((note) => `<li>${asText(note)}</li>`)
  .join('\n')}
</ul>
<h2>Curves</h2>
${figure(charts['liveness-scores.svg'], 'Scores of both classes', 'The less the two distributions overlap, the better they are separated. Dashed: the threshold.')}
${figure(charts['liveness-rates.svg'], 'Errors over the threshold', 'With the threshold, fewer spoofs pass and more live faces are refused.')}
<h2>Pictures to review</h2>
<p>Wrong labels show up here.</p>
${reviewTable('Live faces, lowest score first', report.look_at.live)}
${reviewTable('Spoofs, highest score first', report.look_at.spoofs)}
${failureSection(failures)}
<h2>Use the threshold</h2>
<p>${
      chosen.rates
        ? 'Copy <code>liveness.json</code> into the folder of the model pack and restart the service.'
        : `There is no <code>liveness.json</code>: ${asText(evidenceText(chosen))}`
    }</p>
<p class="quiet">Service ${asText(model.service_version)}; weights: ${asText(model.licence)}</p>
`,
  );
}

const rateCell = ({ rate, interval: range }: Pick<Share, 'rate' | 'interval'>) =>
  `<td>${percent(rate)}<small>${interval(range)}</small></td>`;

const rateCells = ({ threshold, apcer, worst_kind, bpcer, acer }: RatesAtThreshold) =>
  `<td>${thresholdText(threshold)}</td>${rateCell(apcer)}<td>${asText(worst_kind)}</td>${rateCell(bpcer)}${rateCell(acer)}`;

const HEAD = ['threshold', 'APCER', 'worst kind', 'BPCER', 'ACER'];

function chosenTable(points: ChosenThreshold[]): string {
  const rows = points.map((point) => {
    const target = `${point.target.error === 'apcer' ? 'APCER' : 'BPCER'} ≤ ${rateLabel(point.target.rate)}`;
    const evidence = asText(evidenceText(point));
    return point.rates
      ? `<tr><td>${target}</td>${rateCells(point.rates)}<td class="words">${evidence}</td></tr>`
      : `<tr class="none"><td>${target}</td><td colspan="6">${evidence}</td></tr>`;
  });
  return table(['target', ...HEAD, 'evidence'], rows);
}

function rateTable(rates: RatesAtThreshold[]): string {
  return table(
    HEAD,
    rates.map((each) => `<tr>${rateCells(each)}</tr>`),
  );
}

function reviewTable(title: string, pictures: ReviewPicture[]): string {
  const rows = pictures.map(
    ({ image, score }) => `<tr><td class="wrap">${asText(image)}</td><td>${score.toFixed(4)}</td></tr>`,
  );
  return table([title, 'score'], rows);
}

function failureSection(failures: LivenessReport['failures']): string {
  if (failures.length === 0) return '';
  const rows = failures.map(
    ({ image, code, reason }) =>
      `<tr><td class="wrap">${asText(image)}</td><td><code>${asText(code)}</code></td><td>${asText(reason)}</td></tr>`,
  );
  return `<h2>Pictures without a score</h2>\n${table(['picture', 'reason', ''], rows)}`;
}
