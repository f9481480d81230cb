import type { Share } from '../../src/cli/calibrate/statistics/intervals.ts';
import { table } from '../../tools/markdown.ts';
import { updateDocument } from '../results.ts';
import type { Cost } from './embed-photos.ts';
import type { measureOffset } from './exactness.ts';
import type { StudyResults } from './study.ts';

export interface Results extends StudyResults {
  pack: string;
  cost: Cost;
  exactness: ReturnType<typeof measureOffset>;
}

/** The generated sections of docs/PROTECTION.md. */
export function renderSections(results: Results): Record<string, string> {
  return {
    data: renderData(results),
    blind: renderBlind(results),
    known: renderKnown(results),
    unpaired: renderUnpaired(results),
    exactness: renderExactness(results),
    cost: renderCost(results),
  };
}

/** Writes the sections of docs/PROTECTION.md. */
export function writeDocs(results: Results): void {
  updateDocument('PROTECTION.md', renderSections(results));
}

function renderData({ pack, size, people, couples, others, photographs }: Results): string {
  return (
    `Embeddings of ${size} numbers by \`${pack}\`, of Labeled Faces in the Wild. Attacked are ${people} people with ` +
    `${couples} pairs of photographs; the attacker has ${photographs} photographs of other people, and ${others - photographs} ` +
    'changed copies of those (mirrored, half covered).'
  );
}

function renderBlind({ blind, keys }: Results): string {
  const rows = Object.entries(blind).map(([name, { rank1, people, tar1, tar01, area }]) => [
    name,
    `${withInterval(rank1)} (chance: ${percent(1 / people)})`,
    withInterval(tar1),
    withInterval(tar01),
    area.toFixed(3),
  ]);
  return [
    table(
      ['query and gallery', 'nearest is right', 'TAR at FAR 1 %', 'TAR at FAR 0.1 %', 'area under the ROC'],
      rows,
    ),
    '',
    `The last two rows are over ${keys} keys, or pairs of keys. Chance is a TAR that equals the FAR, and an area of 0.5.`,
  ].join('\n');
}

function renderKnown({ known }: Results): string {
  return table(
    ['known pairs', 'cosine of recovered to true', 'nearest is right', 'TAR at FAR 1 %', 'TAR at FAR 0.1 %'],
    known.map(({ count, cosine, rank1, tar1, tar01 }) => [
      count,
      cosine.toFixed(4),
      ...[rank1, tar1, tar01].map(withInterval),
    ]),
  );
}

function renderUnpaired({ unpaired: { people, same, rekeyed, other } }: Results): string {
  return table(
    [`what the attacker has of the ${people} people in a stolen gallery`, 'assigned to the right face'],
    [
      ['the same photographs, without knowing whose is which', withInterval(same)],
      [
        'the same photographs, protected by another key: a second database, or a copy before rekey',
        withInterval(rekeyed),
      ],
      ['another photograph of each', `${withInterval(other)} (chance: ${percent(1 / people)})`],
    ],
  );
}

function renderExactness({ exactness: { pairs, distance, revealed } }: Results): string {
  return (
    `Over ${pairs.toLocaleString('en-US')} pairs, protection changes a cosine distance by at most ${distance.toExponential(1)}. The cosine of a plain ` +
    `embedding to itself, protected and revealed again, is at least 1 − ${Math.max(revealed, 1e-16).toExponential(0)}.`
  );
}

function renderCost({ cost: { protect, embed, share } }: Results): string {
  return (
    `${(protect * 1000).toFixed(0)} µs for each face, beside ${embed.toFixed(1)} ms for its photograph on one thread: ` +
    `${percent(share, 2)} (medians). A larger model takes longer for the photograph, and protection the same.`
  );
}

const percent = (rate: number, digits = 1) => `${(100 * rate).toFixed(digits)} %`;

const withInterval = ({ rate, interval: [low, high] }: Share) =>
  `${percent(rate)} (${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)})`;
