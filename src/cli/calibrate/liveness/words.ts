import { alignColumns } from '../report/terminal.ts';
import { count, interval, percent, rateLabel, shareWithInterval } from '../report/words.ts';
import type { ChosenThreshold, RatesAtThreshold } from './rates.ts';
import type { LivenessReport } from './report.ts';

const MAX_FAILURES = 20;
const THRESHOLD_DIGITS = 6;

export const NAMES = { apcer: 'APCER', bpcer: 'BPCER' } as const;

/** What each picture that is counted is called, by the error that it counts for. */
const COUNTED = { apcer: 'spoofs of each kind', bpcer: 'live faces' } as const;

export const thresholdText = (threshold: number) => String(Number(threshold.toPrecision(THRESHOLD_DIGITS)));

export const targetText = ({ target: { error, rate } }: ChosenThreshold) =>
  `${NAMES[error]} of at most ${rateLabel(rate)}`;

/** How firm a threshold is, or why there is none. */
export function evidenceText({ target: { error, rate }, evidence, rates }: ChosenThreshold): string {
  const needed = `needs at least ${count(evidence.needed)} ${COUNTED[error]} (rule of 3), and ${count(evidence.firm)} for a firm figure (rule of 30)`;
  if (evidence.rule === undefined)
    return `Too few pictures: an ${NAMES[error]} of ${rateLabel(rate)} ${needed}.`;
  if (rates === undefined) return 'No threshold reaches it.';
  return evidence.rule === 'rule_of_30' ? 'Firm (rule of 30).' : `Rough: it ${needed}.`;
}

/** What the figures cannot show, a sentence or two each. */
export function livenessCaveats({ apnrr, bpnrr, copies, kinds }: LivenessReport): string[] {
  const notes = [
    'The figures hold for these cameras, this light and these kinds of spoofs. Others, and people who try again and again until a ' +
      'spoof passes, are not in them. This is no certified presentation attack detection.',
    `APCER is that of the worst of ${count(Object.keys(kinds).length)} kinds of spoofs. The intervals (Wilson, 95 %) assume independent ` +
      'pictures: several of one person, one print or one screen say less than their number.',
    'The threshold is chosen on the pictures that it is measured on, so others give somewhat worse rates.',
  ];
  if (apnrr.count + bpnrr.count > 0)
    notes.push(
      `${count(bpnrr.count)} of ${count(bpnrr.of)} live faces (BPNRR ${percent(bpnrr.rate)}) and ${count(apnrr.count)} of ` +
        `${count(apnrr.of)} spoofs (APNRR ${percent(apnrr.rate)}) got no score and are in no rate. With liveness=require they are refused.`,
    );
  if (copies > 0) notes.push(`${count(copies)} pictures are copies of others and count once.`);
  return notes;
}

const HEAD = ['threshold', 'APCER', 'BPCER', 'ACER'];

const cellsOf = ({ threshold, apcer, bpcer, acer }: RatesAtThreshold) => [
  thresholdText(threshold),
  shareWithInterval(apcer),
  shareWithInterval(bpcer),
  `${percent(acer.rate)} (${interval(acer.interval)})`,
];

/** The rates and the failures as text. */
export function livenessAsText(report: LivenessReport): string {
  const { model, live_pictures, spoof_pictures, chosen, by_threshold, failures } = report;
  const { rates } = chosen;
  const shown = failures.slice(0, MAX_FAILURES).map(({ image, code }) => `  ${image}: ${code}`);
  return [
    `${model.name}: ${count(live_pictures)} live faces and ${count(spoof_pictures)} spoofs`,
    '',
    ...alignColumns([HEAD, ...by_threshold.map(cellsOf)]),
    '',
    rates
      ? `Threshold ${thresholdText(rates.threshold)} for an ${targetText(chosen)}: ${cellsOf(rates).slice(1).join(', ')}. ${evidenceText(chosen)}`
      : `No threshold for an ${targetText(chosen)}. ${evidenceText(chosen)}`,
    ...(failures.length > 0 ? ['', `${count(failures.length)} pictures got no score:`, ...shown] : []),
    ...(failures.length > shown.length
      ? [`  and ${count(failures.length - shown.length)} more, in report.json`]
      : []),
  ].join('\n');
}
