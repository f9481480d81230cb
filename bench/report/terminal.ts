import { judgeFloors } from '../floors.ts';
import type { Measurements } from '../results.ts';
import { formatNumber, formatSpread } from './numbers.ts';

/** The floors and what was measured, as aligned text. */
export function floorsAsText(results: Measurements): string {
  const rows = judgeFloors(results).map(({ figure, bound, floor, aim, measured, verdict }) => [
    figure,
    `${bound} ${formatNumber(floor)}${aim === undefined ? '' : ` (aim ${formatNumber(aim)})`}`,
    formatSpread(measured),
    verdict,
  ]);
  return align([['figure', 'floor', 'measured', ''], ...rows]);
}

/** Rows of cells as text with aligned columns. */
export function align(rows: readonly string[][]): string {
  const widthOf = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const widths = (rows[0] ?? []).map((_, column) => widthOf(column));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
