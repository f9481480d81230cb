import { table } from '../../tools/markdown.ts';
import { updateDocument } from '../results.ts';
import type { CostRow } from './cost.ts';
import type { FamilyRow } from './families.ts';
import type { OrientationRow } from './orientation.ts';
import type { Size, SizeRow } from './sizes.ts';

export interface OrientationResults {
  rows: OrientationRow[];
  cost: CostRow[];
}

export interface SizeResults {
  rows: SizeRow[];
  cost: [Size, number][];
}

/** Values of DETECTION_SIZES that are shown. */
const COMBINATIONS: readonly (readonly Size[])[] = [
  [128],
  [640],
  [128, 640],
  [128, 320, 640],
  [128, 640, 1280],
  [128, 640, 2048],
];

/** Name and body of the sections of docs/DETECTION.md. */
export function renderOrientation({ rows, cost }: OrientationResults): Record<string, string> {
  const percent = (count: number, of: number) =>
    `${((100 * count) / of).toFixed(count === 0 || count === of ? 0 : 1)} %`;
  return {
    orientation: table(
      [
        'pictures',
        'number',
        '`exif`: no face',
        '`exif`: another face',
        '`auto`: no face',
        '`auto`: another face',
        'looked at',
        'turned',
        'turned rightly',
      ],
      rows.map(({ kind, pictures, exif, auto, looked, turned, turnedUpright }) => [
        kind,
        pictures,
        percent(exif.noFace, pictures),
        percent(exif.otherFace, pictures),
        percent(auto.noFace, pictures),
        percent(auto.otherFace, pictures),
        percent(looked, pictures),
        turned,
        turnedUpright,
      ]),
    ),
    'orientation-cost': table(
      ['pictures', 'number', '`auto` / `exif`'],
      cost.map(({ kind, pictures, ratio }) => [kind, pictures, ratio.toFixed(3)]),
    ),
  };
}

export function renderSizes({ rows, cost }: SizeResults): Record<string, string> {
  const costs = new Map(cost);
  return {
    sizes: table(
      ['pictures', 'number', ...COMBINATIONS.map((sizes) => `\`${sizes.join(',')}\``)],
      [
        ...rows.map(({ kind, pictures, foundBy }) => [
          kind,
          pictures,
          ...COMBINATIONS.map((sizes) => {
            const found = foundBy.filter((by) => by.some((size) => sizes.includes(size))).length;
            return `${Math.round((100 * found) / pictures)} %`;
          }),
        ]),
        [
          'time of the detector',
          '',
          ...COMBINATIONS.map((sizes) =>
            sizes.reduce((sum, size) => sum + (costs.get(size) ?? Number.NaN), 0).toFixed(2),
          ),
        ],
      ],
    ),
  };
}

/** Each cell has the pictures in which the face is found and, after a plus sign, the boxes that lie elsewhere. */
export function renderFamilies(names: readonly string[], rows: readonly FamilyRow[]): Record<string, string> {
  return {
    families: table(
      ['face', 'pictures', ...names.map((name) => `\`${name}\``)],
      rows.map(({ kind, pictures, results }) => [
        kind,
        pictures,
        ...results.map(({ found, elsewhere }) => `${found}${elsewhere > 0 ? ` + ${elsewhere}` : ''}`),
      ]),
    ),
  };
}

export function writeDocs(sections: Readonly<Record<string, string>>): void {
  updateDocument('DETECTION.md', sections);
}
