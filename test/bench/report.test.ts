import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../support/shared.ts';
import { benchModule } from './bench-module.ts';

const { drawLines, logTicks, renderCurve, roundTicks } = await benchModule('report/curve.mjs');
const { short, withSpread } = await benchModule('report/numbers.mjs');
const { renderSections } = await benchModule('report/markdown.mjs');
const { replaceSections } = await benchModule('report/write-docs.mjs');

describe('the curve', () => {
  it('puts higher latency higher and more throughput to the right', () => {
    const points = [
      { x: 1, y: 10 },
      { x: 2, y: 100 },
    ];
    const svg: string = drawLines([{ label: 'a', colour: '#000', dash: '', points }], { x: 'x', y: 'y' });
    const [[x1, y1], [x2, y2]] = (/polyline points="([^"]+)"/.exec(svg)?.[1] ?? '')
      .split(' ')
      .map((pair) => pair.split(',').map(Number)) as [[number, number], [number, number]];
    expect(x2).toBeGreaterThan(x1);
    expect(y2).toBeLessThan(y1);
    expect(svg).not.toContain('NaN');
  });

  it('escapes what it writes', () => {
    const svg: string = drawLines([], { x: 'a < b & c', y: '' });
    expect(svg).toContain('a &#60; b &#38; c');
  });

  it('has units of the machine where there is no peer, and no system that was not measured', () => {
    const open = [{ system: 'service', size: '250', rate: 10, curve: { p50: 20, p95: 30 } }];
    const svg: string = renderCurve({ open });
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
  it('show three digits, and a dash for what is not known', () => {
    expect([0.12345, 12.345, 123.45].map((value) => short(value))).toEqual(['0.12', '12.3', '123']);
    expect(short(undefined)).toBe('–');
    expect(short(Number.NaN)).toBe('–');
    expect(withSpread({ median: 2, low: 2, high: 2 })).toBe('2.00');
    expect(withSpread({ median: 2, low: 1.5, high: 2.5 })).toBe('2.00 (1.50–2.50)');
  });

  it('stand between their markers, and nothing else changes', () => {
    const document = 'before\n<!-- a:begin (how) -->\nold\nlines\n<!-- a:end -->\nafter\n';
    expect(replaceSections(document, { a: 'new $& text' })).toBe(
      'before\n<!-- a:begin (how) -->\nnew $& text\n<!-- a:end -->\nafter\n',
    );
    expect(() => replaceSections(document, { b: '' })).toThrow('no markers for b');
  });

  it('have a place in docs/PERFORMANCE.md each, also after a run of a part', () => {
    const document = readFileSync(join(ROOT, 'docs/PERFORMANCE.md'), 'utf8');
    const machine = { cpu: 'CPU', cores: 2, memoryGiB: 8, platform: 'linux', loadBefore: 0, versions: {} };
    const sections = renderSections({
      machine,
      pack: { name: 'p' },
      plan: { seconds: 1, serviceEnvironment: {} },
    });
    expect(replaceSections(document, sections)).toContain('Not measured in this run.');
  });
});
