import { table } from '../../tools/markdown.ts';
import type { Gain } from './gain.ts';
import type { IntruderResult } from './intruders.ts';

const percent = (rate: number, digits = 2) => `${(100 * rate).toFixed(digits)} %`;

/** Of one person there is no interval, and none of people who do not differ. */
function withInterval(rate: number, [low, high]: readonly [number, number], people: number): string {
  if (people < 2 || low === high) return percent(rate);
  return `${percent(rate)} (${(100 * low).toFixed(2)}–${(100 * high).toFixed(2)})`;
}

export interface Results {
  pack: string;
  gains: Gain[];
  intruders: IntruderResult[];
}

/** The generated sections of docs/FUSION.md. */
export function renderSections({ gains, intruders }: Results): Record<string, string> {
  return {
    gain: table(
      [
        'photographs are',
        'enrolled',
        'compared with',
        'people; queries',
        'TAR of one, 95 %',
        'TAR of several, 95 %',
        'FNMR falls by, 95 %',
        'FAR at the threshold of one',
      ],
      gains.map((row) => [
        row.mix,
        String(row.photographs),
        row.way,
        `${row.people}; ${row.queries}`,
        withInterval(1 - row.one, complement(row.oneInterval), row.people),
        withInterval(1 - row.several, complement(row.severalInterval), row.people),
        withInterval(row.gain, row.interval, row.people),
        percent(row.farAtOne, 3),
      ]),
    ),
    intruders: table(
      [
        'photographs are',
        'set',
        'agreement',
        'people; sets',
        'intruder named, 95 %',
        'and nobody else',
        'no template',
        'intruder used',
        'without an intruder, all used',
      ],
      intruders.map((row) => [
        row.mix,
        `${row.size - 1} + 1`,
        `${row.agreement.toFixed(3)} (${row.source})`,
        `${row.people}; ${row.sets}`,
        withInterval(row.found, row.foundInterval, row.people),
        percent(row.exactly),
        percent(row.none),
        percent(row.missed),
        percent(row.whole),
      ]),
    ),
  };
}

function complement([low, high]: readonly [number, number]): [number, number] {
  return [1 - high, 1 - low];
}
