import type { RateInterval } from '../../../similarity/far-curve.ts';
import { isMeasured, type OperatingPoint } from '../operating-point.ts';
import type { QualityMeasure } from '../scored-pairs.ts';
import type { Interval, Share } from '../statistics/intervals.ts';
import { METRICS, type Metric } from '../statistics/scores.ts';
import type { CalibrationReport } from './report.ts';

/** With a space that does not break. */
const PERCENT = '\u00a0%';

/** "0.1 %": a target rate. */
export const rateLabel = (rate: number) => `${Number((rate * 100).toPrecision(6))}${PERCENT}`;

/** "97.3 %": a measured rate, with enough digits to show its distance to 0 or 100 %. */
export function percent(rate: number): string {
  if (rate === 0 || rate === 1) return `${rate * 100}${PERCENT}`;
  const distance = Math.min(rate, 1 - rate) * 100;
  const decimals = distance >= 10 ? 1 : distance >= 0.1 ? 2 : distance >= 0.01 ? 3 : 4;
  return `${(rate * 100).toFixed(decimals)}${PERCENT}`;
}

export const interval = ([low, high]: Interval) => `${percent(low)} – ${percent(high)}`;
/** A rate of the curve; "below 0.02 %" where there is no estimate. */
export const rateInterval = ({ estimate, low = 0, high }: RateInterval) =>
  estimate === undefined ? `below ${percent(high)}` : `${percent(estimate)} (${interval([low, high])})`;
export const shareWithInterval = (share: Share) => `${percent(share.rate)} (${interval(share.interval)})`;
export const count = (value: number) => value.toLocaleString('en');

/** All digits: a rounded threshold could decide a measured pair differently. */
export const thresholdLabel = (value: number) => String(value);

/** "cosine distance ≤ 0.62" */
export const condition = (metric: Metric, threshold: number) =>
  `${METRICS[metric].label} ${METRICS[metric].sign} ${thresholdLabel(threshold)}`;

export const QUALITY_LABELS: Record<QualityMeasure, string> = {
  'quality.score': 'quality score',
  detection_score: 'detection score',
};

/** How firm an operating point is, or why it has no threshold. */
export function evidenceSentence(point: OperatingPoint, impostorPairs: number): string {
  const { rule, expected, needed, firm } = point.evidence;
  if (rule === undefined)
    return (
      `Too few impostor pairs: a false accept rate of ${rateLabel(point.target)} needs at least ${count(needed)} ` +
      `(rule of 3), and ${count(firm)} for a firm figure (rule of 30). There are ${count(impostorPairs)}.`
    );
  if (!isMeasured(point))
    return 'No threshold accepts so few impostor pairs: too many of them have the smallest distance of all pairs.';
  const errors = count(expected >= 30 ? Math.round(expected) : Number(expected.toFixed(1)));
  return rule === 'rule_of_3'
    ? `Rough: ${errors} false accepts expected, fewer than 30 (rule of 30). ${count(firm)} impostor pairs make it firm.`
    : `Firm: ${errors} false accepts expected, at least 30 (rule of 30).`;
}

/** What limits the figures as a whole, a sentence or two each. */
export function caveats({ figures, pictures, left_out: leftOut }: CalibrationReport): string[] {
  const { genuine_pairs: genuine, impostor_pairs: impostor, people, lowest_far: lowest } = figures;
  const notes = [
    `${count(impostor)} impostor pairs cannot show a false accept rate below ${percent(lowest)}: even without a false ` +
      'accept, the 95 % limit is 3 divided by their number (rule of 3, ISO/IEC 19795-1).',
    'The intervals of FAR and TAR (Wilson, 95 %) assume independent pairs. Pairs that share a person are not independent, ' +
      `so the true uncertainty is somewhat larger. The intervals of thresholds come from resampling the ${count(people)} ` +
      'people (bootstrap), which accounts for that.',
    'The figures hold for pictures like these: the same cameras, light, poses, ages and kinds of people. Impostors who ' +
      'resemble the person, such as relatives, or people of the same age and sex, are accepted more often than random ' +
      'impostors.',
  ];
  if (figures.quality.measure === 'detection_score')
    notes.push('This service gives no quality score. The report uses the detection score as the quality.');
  if (genuine < 100)
    notes.push(
      `With ${count(genuine)} genuine pairs, one rejected pair changes the TAR by ${percent(1 / genuine)}.`,
    );
  if (pictures.failed > 0)
    notes.push(
      `${count(pictures.failed)} of ${count(pictures.total)} pictures gave no embedding, so ` +
        `${count(leftOut.failed_picture)} pairs are left out. A person whose picture fails is not recognised either: add ` +
        'these pairs to the false rejects.',
    );
  if (leftOut.copies > 0)
    notes.push(
      `${count(leftOut.copies)} pairs of the same person are a file and its copy. They are left out, because they show nothing.`,
    );
  if (leftOut.copies_labelled_different > 0)
    notes.push(
      `${count(leftOut.copies_labelled_different)} pairs of a file and its copy are labelled as different people. They are ` +
        'left out; check the labels.',
    );
  if (figures.operating_points.some((point) => isMeasured(point) && !point.threshold_interval))
    notes.push(`${count(people)} people are too few for resampling: the thresholds have no interval.`);
  if (!figures.far_curve)
    notes.push(
      'There are too few people or pairs for a curve of the FAR, so the service will give matches no far and refuse max_far.',
    );
  return notes;
}
