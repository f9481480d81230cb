import { judgeFloors } from '../floors.ts';
import { short, withSpread } from './numbers.ts';

/** The floors with what was measured, as aligned text. */
export function floorsAsText(results) {
  const rows = judgeFloors(results).map(({ figure, bound, floor, aim, measured, verdict }) => [
    figure,
    `${bound} ${short(floor)}${aim === undefined ? '' : ` (aim ${short(aim)})`}`,
    withSpread(measured),
    verdict,
  ]);
  return align([['figure', 'floor', 'measured', ''], ...rows]);
}

export function align(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
