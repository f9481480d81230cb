import { table } from '../../tools/markdown.ts';
import { type Coverage, METHODS, type Method } from './coverage.ts';
import { type DoorResult, DRAWS, ENROLLED, STRANGERS } from './door.ts';

const percent = (rate: number, digits = 1) => `${(100 * rate).toFixed(digits)} %`;

export interface Results {
  pack: string;
  photographs: number;
  people: number;
  /** For the splits of the floor, and for more of them. */
  coverage: Coverage[];
  door: DoorResult[];
}

/** The generated sections of docs/THRESHOLDS.md. */
export function renderSections({ coverage, door }: Results): Record<string, string> {
  return { coverage: renderCoverage(coverage), door: renderDoor(door) };
}

function renderCoverage(rows: readonly Coverage[]): string {
  return table(
    [
      '95 % interval',
      ...rows.map(({ far, splits }) => `FAR ${Number((far * 100).toPrecision(3))} %, ${splits} splits`),
    ],
    (Object.keys(METHODS) as Method[]).map((method) => [
      METHODS[method],
      ...rows.map(
        ({ inside, splits, width }) =>
          `${percent(inside[method] / splits, 0)} inside (${inside[method]}); high / low ${width[method].toFixed(1)}`,
      ),
    ]),
  );
}

function renderDoor(rows: readonly DoorResult[]): string {
  return table(
    [
      'verdict by',
      `strangers let in, of ${STRANGERS}: mean`,
      `each of ${DRAWS} draws`,
      `enrolled turned away, of ${ENROLLED} (FNIR)`,
    ],
    rows.map(({ rule, letIn, turnedAway }) => {
      const counts = letIn.filter((count) => count !== undefined);
      const refused = letIn.length - counts.length;
      const tries = turnedAway.filter((tried) => tried !== undefined);
      const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
      return [
        `\`${rule.replace(/ .*/, '')}\`${/ .*/.exec(rule)?.[0] ?? ''}`,
        counts.length === 0 ? '–' : (sum(counts) / counts.length).toFixed(2),
        `${counts.join(' ')}${refused > 0 ? `; ${refused} refused` : ''}`,
        tries.length === 0
          ? '–'
          : `${(sum(tries.map(({ count }) => count)) / tries.length).toFixed(2)} (${percent(sum(tries.map(({ count }) => count)) / sum(tries.map(({ of }) => of)), 2)})`,
      ];
    }),
  );
}
