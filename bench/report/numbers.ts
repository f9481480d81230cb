/** Three significant digits; a dash for what was not measured or would say nothing. */
export function short(value, unit = '') {
  if (value === undefined || value === null || !Number.isFinite(value)) return '–';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return `${value.toFixed(digits)}${unit}`;
}

/** "1.62 (1.55–1.70)"; the spread is from the 10th to the 90th percentile, and left out of a single value. */
export function withSpread(summary, unit = '') {
  if (!summary) return '–';
  if (summary.low === summary.high) return short(summary.median, unit);
  return `${short(summary.median, unit)} (${short(summary.low)}–${short(summary.high)})`;
}

/** "none", or "3 × 503 OVERLOADED". */
export function failuresInWords(failures = {}) {
  const kinds = Object.entries(failures).map(([kind, count]) => `${count} × ${kind}`);
  return kinds.length === 0 ? 'none' : kinds.join(', ');
}
