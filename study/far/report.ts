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
  const all = rows[0]?.letIn.length ?? 0;
  const meanOf = (values: readonly number[]) =>
    values.length === 0 ? '–' : (values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(2);
  return table(
    [
      'verdict by',
      `strangers let in, of ${STRANGERS}: each of ${DRAWS} draws`,
      'mean',
      `mean of ${all} draws`,
      `enrolled turned away, of ${ENROLLED} (FNIR), mean of ${all} draws`,
    ],
    rows.map(({ rule, letIn, turnedAway }) => {
      const [shown, counts] = [letIn.slice(0, DRAWS), letIn].map((list) =>
        list.filter((count) => count !== undefined),
      ) as [number[], number[]];
      const refused = letIn.length - counts.length;
      const tried = turnedAway.filter((tries) => tries !== undefined);
      const away = meanOf(tried.map(({ count }) => count));
      return [
        `\`${rule.replace(/ .*/, '')}\`${/ .*/.exec(rule)?.[0] ?? ''}`,
        shown.join(' '),
        meanOf(shown),
        `${meanOf(counts)}${refused > 0 ? ` (${refused} refused: too little evidence)` : ''}`,
        `${away} (${percent(Number(away) / ENROLLED, 2)})`,
      ];
    }),
  );
}
