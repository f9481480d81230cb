import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { OpenLoopRow } from '../../bench/measures/open-loop.ts';
import { drawLines, logTicks, renderCurve, roundTicks } from '../../bench/report/curve.ts';
import { formatNumber, formatSpread } from '../../bench/report/numbers.ts';
import { renderSections } from '../../bench/report/sections.ts';
import type { Results } from '../../bench/results.ts';
import { summariseLatencies } from '../../bench/statistics.ts';
import { updateSections } from '../../tools/markdown.ts';
import { ROOT } from '../support/shared.ts';

/** Of a run in which nothing was measured. */
function resultsOf(name: string, large: boolean): Results {
  return {
    started: '',
    machine: { cpu: 'CPU', cores: 2, memoryGiB: 8, platform: 'linux', loadBefore: 0, versions: {} },
    pack: { name, large, detector: '', recogniser: '' },
    plan: { seconds: 1, slice: 1, quick: false, sizes: [], only: [], serviceEnvironment: {} },
  };
}

describe('the curve', () => {
  it('draws higher latency higher and higher throughput further right', () => {
    const points = [
      { x: 1, y: 10 },
      { x: 2, y: 100 },
    ];
    const svg = drawLines([{ label: 'a', colour: '#000', dash: '', points }], { x: 'x', y: 'y' });
    const [[x1, y1], [x2, y2]] = (/polyline points="([^"]+)"/.exec(svg)?.[1] ?? '')
      .split(' ')
      .map((pair) => pair.split(',').map(Number)) as [[number, number], [number, number]];
    expect(x2).toBeGreaterThan(x1);
    expect(y2).toBeLessThan(y1);
    expect(svg).not.toContain('NaN');
  });

  it('escapes labels', () => {
    const svg = drawLines([], { x: 'a < b & c', y: '' });
    expect(svg).toContain('a &#60; b &#38; c');
  });

  it('is in absolute units without a peer, and contains measured systems only', () => {
    const open: OpenLoopRow = {
      system: 'service',
      size: '250',
      fraction: 0.5,
      rate: 10,
      answered: 10,
      due: 10,
      unfinished: 0,
      failures: {},
      curve: { p50: 20, p95: 30 },
      latency: summariseLatencies([]),
    };
    const svg = renderCurve({ open: [open] });
    expect(svg).toContain('latency, ms');
    expect(svg).not.toContain('peer');
  });

  it('has round ticks that enclose the values', () => {
    expect(roundTicks(1.3)).toEqual([0, 0.5, 1, 1.5]);
    expect(logTicks([0.7, 30])).toEqual([0.5, 1, 2, 5, 10, 20, 50]);
    expect(logTicks([])).toEqual([1, 2, 5, 10]);
  });
});

describe('the tables', () => {
  it('show three digits, and a dash for a missing value', () => {
    expect([0.12345, 12.345, 123.45].map((value) => formatNumber(value))).toEqual(['0.12', '12.3', '123']);
    expect(formatNumber(undefined)).toBe('–');
    expect(formatNumber(Number.NaN)).toBe('–');
    expect(formatSpread({ median: 2, low: 2, high: 2 })).toBe('2.00');
    expect(formatSpread({ median: 2, low: 1.5, high: 2.5 })).toBe('2.00 (1.50–2.50)');
  });

  it('have markers in docs/PERFORMANCE.md, also after a partial run', () => {
    const document = readFileSync(join(ROOT, 'docs/PERFORMANCE.md'), 'utf8');
    const sections = renderSections([resultsOf('standin-l', true), resultsOf('p', false)]);
    expect(updateSections(document, sections)).toContain('Not measured in this run.');
  });

  it('of ordinary packs stay when only large ones were measured, and the other way round', () => {
    expect(Object.keys(renderSections([resultsOf('standin-l', true)]))).toEqual(['large']);
    expect(Object.keys(renderSections([resultsOf('p', false)]))).not.toContain('large');
  });

  it('of large packs have a part for each, with its starts and the memory of its systems', () => {
    const start = {
      service: {
        cold: { median: 9_000, low: 8_000, high: 10_000, count: 3 },
        warm: undefined,
        peak: { cold: 912, warm: 456 },
      },
    };
    const memory = { service4: { idle: 321 } };
    const { large } = renderSections([
      { ...resultsOf('standin-l', true), start, memory },
      resultsOf('standin-m', true),
    ]);
    expect(large).toMatch(/^### standin-l\n\nStands in for `buffalo_l`/);
    expect(large).toContain('### standin-m');
    expect(large).toContain('| service | 9000 (8000–10000) | – | 912 | 456 | – |');
    expect(large).toMatch(/service, four workers \|( – \|){4} 321/);
  });
});
