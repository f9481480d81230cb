import { isMeasured } from '../operating-point.ts';
import type { SearchFigures, SearchPoint } from '../search-figures.ts';
import type { DrawnRate } from '../statistics/search.ts';
import { asText, table } from './html.ts';
import { count, interval, percent, rateInterval, rateLabel, thresholdLabel } from './words.ts';

const EXPLANATION =
  'Every person who is enrolled is another chance of a false match. FPIR is the share of strangers for whom somebody is found, ' +
  'FNIR the share of enrolled people who are not found as themselves. A search among N people has an FPIR of about ' +
  '1 − (1 − FAR)^N, so its threshold is stricter the more people there are.';

/** The report's part on searches, as HTML. */
export function searchSection(search: SearchFigures): string {
  return [
    '<h2>Who of these people is it? Search, 1:N</h2>',
    `<p>${EXPLANATION}</p>`,
    ...gallerySection(search),
    '<p>Thresholds for a search among so many people, with the TAR of one comparison. Small: cosine distance, similarity.</p>',
    table(
      ['people', ...targetsOf(search).map((target) => `FPIR at most ${rateLabel(target)}`)],
      search.sizes.map(
        ({ people, points }) => `<tr><td>${count(people)}</td>${points.map(sizeCell).join('')}</tr>`,
      ),
    ),
  ].join('\n');
}

function gallerySection({ gallery }: SearchFigures): string[] {
  if (gallery === undefined) return [];
  const { people, points, draws, reason } = gallery;
  const note =
    draws === undefined
      ? asText(reason ?? '')
      : `${count(draws)} times, ${count(people)} of the people were enrolled with a picture each, and others searched. Small figures ` +
        'are the range of 95 % of the draws.';
  const rows = points.map(({ target, point, computed, fpir, fnir }) => {
    if (!isMeasured(point))
      return `<tr class="none"><td>${rateLabel(target)}</td><td>${percent(point.target)}</td><td colspan="5">${asText(missing({ point }))}</td></tr>`;
    const { cosine, similarity } = point.thresholds;
    const cells = [
      rateLabel(target),
      percent(point.target),
      `${thresholdLabel(cosine)}<small>similarity ≥ ${thresholdLabel(similarity)}</small>`,
      computed ? rateInterval(computed) : '–',
      drawnCell(fpir),
      drawnCell(fnir),
      `${percent(point.tar.rate)}<small>${interval(point.tar.interval)}</small>`,
    ];
    return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  const head = [
    'FPIR at most',
    'FAR of one comparison',
    'cosine distance ≤',
    '1 − (1 − FAR)^N',
    'FPIR, resampled',
    'FNIR, resampled',
    'TAR, 1:1',
  ];
  return [`<h3>Among ${count(people)} people</h3>`, `<p>${note}</p>`, table(head, rows)];
}

const drawnCell = (drawn: DrawnRate | undefined) =>
  drawn
    ? `${percent(drawn.rate)}<small>${interval(drawn.range)}</small><small>of ${count(drawn.of)}</small>`
    : '–';

function sizeCell({ point }: SearchPoint): string {
  if (!isMeasured(point)) return `<td><small>${asText(missing({ point }))}</small></td>`;
  const { cosine, similarity } = point.thresholds;
  return `<td>${percent(point.tar.rate)}<small>≤ ${thresholdLabel(cosine)}, ≥ ${thresholdLabel(similarity)}</small></td>`;
}

/** Why there is no threshold. */
export function missing({ point: { evidence } }: Pick<SearchPoint, 'point'>): string {
  return evidence.rule === undefined
    ? `needs ${count(evidence.needed)} impostor pairs`
    : 'no threshold accepts so few';
}

export const targetsOf = ({ sizes }: SearchFigures) => (sizes[0]?.points ?? []).map(({ target }) => target);
