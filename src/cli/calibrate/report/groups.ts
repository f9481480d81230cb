import type { Figures } from '../analysis.ts';
import type { GroupFigures, GroupRate } from '../statistics/groups.ts';
import { asText, table } from './html.ts';
import { count, interval, percent, rateLabel, thresholdLabel } from './words.ts';

/** The rates of each group, as HTML; empty without groups. */
export function groupSection({ groups: points }: Figures): string {
  if (points.length === 0) return '';
  const rows = points.flatMap(({ target, threshold, groups }) =>
    groups.map(
      ({ group, fmr, fnmr }) =>
        `<tr><td>${rateLabel(target)}</td><td>${thresholdLabel(threshold)}</td><td class="wrap">${asText(group)}</td>${cell(fmr)}${cell(fnmr)}</tr>`,
    ),
  );
  return [
    '<h2>Groups</h2>',
    '<p>False match rate (FMR) and false non-match rate (FNMR) of the pairs of each group, at the thresholds of all. Small figures ' +
      'are 95 % intervals, which account for pairs that share people. A group is said to differ if its difference from the other ' +
      'groups together is beyond chance, with 95 % confidence for all groups together. Else these pairs cannot tell them apart, ' +
      'which does not mean that they are equal.</p>',
    table(['FAR at most', 'cosine distance ≤', 'group', 'FMR', 'FNMR'], rows),
    `<p>${asText(verdict(points))}</p>`,
  ].join('\n');
}

const cell = (rate: GroupRate | undefined) =>
  rate === undefined
    ? '<td>no such pairs</td>'
    : `<td>${percent(rate.rate)}<small>${interval(rate.interval)}</small><small>${count(rate.errors)} of ${count(rate.of)}</small>` +
      `<small>${rate.differs ? 'differs from the others' : 'cannot be told apart'}</small></td>`;

/** Whether any group differs, as a sentence. */
export function verdict(points: Figures['groups']): string {
  const differing = points.flatMap(({ target, groups }) =>
    groups.flatMap((group) =>
      differencesOf(group).map((rate) => `${group.group} (${rate} at FAR ${rateLabel(target)})`),
    ),
  );
  if (differing.length === 0) return 'The groups cannot be told apart with these pairs.';
  return `These differ from the other groups: ${differing.join(', ')}.`;
}

const differencesOf = ({ fmr, fnmr }: GroupFigures) => [
  ...(fmr?.differs ? ['FMR'] : []),
  ...(fnmr?.differs ? ['FNMR'] : []),
];
