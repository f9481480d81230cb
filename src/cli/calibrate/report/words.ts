import { METRICS } from '../statistics/scores.ts';

/** A figure and its sign stay on one line. */
const PERCENT = '\u00a0%';

/** "0.1 %": a rate aimed at. */
export const rateLabel = (rate) => `${Number((rate * 100).toPrecision(6))}${PERCENT}`;

/** "97.3 %": a rate measured, with digits enough to see what is missing to 100 %. */
export function percent(rate) {
  if (rate === 0 || rate === 1) return `${rate * 100}${PERCENT}`;
  const distance = Math.min(rate, 1 - rate) * 100;
  const decimals = distance >= 10 ? 1 : distance >= 0.1 ? 2 : distance >= 0.01 ? 3 : 4;
  return `${(rate * 100).toFixed(decimals)}${PERCENT}`;
}

export const interval = ([low, high]) => `${percent(low)} – ${percent(high)}`;
export const count = (value) => value.toLocaleString('en');

/** A threshold as it was measured: no digit may be lost. */
export const thresholdLabel = (value) => String(value);

/** The verdict on one row: why there is a figure, how firm it is, or why there is none. */
export function evidenceInWords({ target, evidence, thresholds }, impostorPairs) {
  const { rule, expected, needed, firm } = evidence;
  const few = `${count(expected >= 30 ? Math.round(expected) : Number(expected.toFixed(1)))} false accepts to be expected`;
  if (rule === undefined)
    return (
      `Not carried by these pairs: a false accept rate of ${rateLabel(target)} needs at least ${count(needed)} impostor ` +
      `pairs (rule of 3), and ${count(firm)} for a firm figure (rule of 30). There are ${count(impostorPairs)}.`
    );
  if (thresholds === undefined)
    return 'No threshold accepts so few impostors: too many of them are the nearest pairs of all.';
  if (rule === 'rule_of_3')
    return `Rough: ${few}, fewer than 30 (rule of 30). ${count(firm)} impostor pairs make it firm.`;
  return `Firm: ${few}, at least 30 (rule of 30).`;
}

/** What is to be known of the figures as a whole, sentence by sentence. */
export function caveats({ figures, pictures, left_out: leftOut }) {
  const { genuine_pairs: genuine, impostor_pairs: impostor, people, lowest_far: lowest } = figures;
  const notes = [
    `${count(impostor)} impostor pairs cannot show a false accept rate below ${percent(lowest)}, whatever the result: with ` +
      'no false accept at all, the 95 % limit is 3 divided by their number (rule of 3, ISO/IEC 19795-1).',
    'The intervals of FAR and TAR (Wilson, 95 %) take the pairs as independent. Pairs that share a person are not, so the ' +
      `truth is somewhat less certain. The intervals of thresholds come from drawing the ${count(people)} people anew ` +
      '(bootstrap), which respects that.',
    'The figures hold for pictures like these: the same cameras, light, poses, ages and kinds of people. Impostors who are ' +
      'alike, such as relatives, or of one age and sex, are accepted more often than impostors at random.',
  ];
  if (figures.quality.measure === 'detection_score')
    notes.push(
      'This service gave no quality score. Where quality is shown, the detection score stands in for it.',
    );
  if (genuine < 100)
    notes.push(
      `With ${count(genuine)} genuine pairs, one rejected pair moves the TAR by ${percent(1 / genuine)}.`,
    );
  if (pictures.failed > 0)
    notes.push(
      `${count(pictures.failed)} of ${count(pictures.total)} pictures gave no embedding, and ${count(leftOut.failed_picture)} ` +
        'pairs are left out for it. A person whose picture fails is not recognised either: count that in addition.',
    );
  if (leftOut.copies > 0)
    notes.push(
      `${count(leftOut.copies)} pairs of one person are the same file twice. They are left out, as they prove nothing.`,
    );
  if (leftOut.copies_labelled_different > 0)
    notes.push(
      `${count(leftOut.copies_labelled_different)} pairs of the same file are labelled as different people. They are left ` +
        'out; look for wrong labels.',
    );
  if (figures.operating_points.some(({ threshold_interval: known, thresholds }) => thresholds && !known))
    notes.push(`${count(people)} people are too few to draw them anew: thresholds come without an interval.`);
  return notes;
}

/** What `quality` means in this report. */
export const QUALITY_WORDS = { 'quality.score': 'quality score', detection_score: 'detection score' };

/** "cosine distance ≤ 0.62" */
export const condition = (metric, threshold) =>
  `${METRICS[metric].label} ${METRICS[metric].sign} ${thresholdLabel(threshold)}`;
