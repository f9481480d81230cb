import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { OpenLoopRow } from '../../bench/measures/open-loop.ts';
import { drawLines, logTicks, renderCurve, roundTicks } from '../../bench/report/curve.ts';
import { renderSections } from '../../bench/report/markdown.ts';
import { formatNumber, formatSpread } from '../../bench/report/numbers.ts';
import { summariseLatencies } from '../../bench/statistics.ts';
import { updateSections } from '../../tools/markdown.ts';
import { ROOT } from '../support/shared.ts';

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
    const sections = renderSections({
      started: '',
      machine: { cpu: 'CPU', cores: 2, memoryGiB: 8, platform: 'linux', loadBefore: 0, versions: {} },
      pack: { name: 'p', detector: '', recogniser: '' },
      plan: { seconds: 1, slice: 1, quick: false, sizes: [], only: [], serviceEnvironment: {} },
    });
    expect(updateSections(document, sections)).toContain('Not measured in this run.');
  });
});
