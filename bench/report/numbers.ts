import type { Failures } from '../load/closed-loop.ts';
import type { Spread } from '../statistics.ts';

/** Three significant digits; a dash for a value that is missing or not finite. Results read from a file may have null. */
export function formatNumber(value: number | null | undefined): string {
  if (value === undefined || value === null || !Number.isFinite(value)) return '–';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits);
}

/** For example "1.62 (1.55–1.70)"; without brackets for a single value. */
export function formatSpread(spread: Spread | undefined): string {
  if (!spread) return '–';
  const { median, low, high } = spread;
  const range = low === high ? '' : ` (${formatNumber(low)}–${formatNumber(high)})`;
  return `${formatNumber(median)}${range}`;
}

/** For example "3 × 503 OVERLOADED". */
export function formatFailures(failures: Failures): string {
  const kinds = Object.entries(failures).map(([kind, count]) => `${count} × ${kind}`);
  return kinds.length === 0 ? 'none' : kinds.join(', ');
}
