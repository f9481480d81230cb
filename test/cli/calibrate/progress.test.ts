import { expect, it } from 'vitest';
import { progressLine, showProgress } from '../../../src/cli/calibrate/progress.ts';

it('estimates the time left from the pictures embedded by this run', () => {
  const line = progressLine({ done: 150, cached: 100, failed: 2 }, 400, 10_000);
  expect(line).toBe('150 of 400 pictures, 100 from before, 2 failed, 5.0 a second, about 50 s left');
  expect(progressLine({ done: 10, cached: 0, failed: 0 }, 36_010, 10_000)).toMatch(/about 10 h 0 min left$/);
  expect(progressLine({ done: 5, cached: 5, failed: 0 }, 5, 10)).toBe('5 of 5 pictures, 5 from before');
});

it.each([true, false])(
  'redraws one line on a terminal, prints few lines elsewhere (terminal: %s)',
  (isTTY) => {
    let written = '';
    let time = 0;
    const stream = { isTTY, columns: 60, write: (text: string) => (written += text) };
    const progress = showProgress(1_000, stream, () => time);
    for (time = 10; time <= 10_000; time += 10) progress.advance({ cached: false, failed: false });
    progress.end();
    const lines = written.split('\n').filter(Boolean);
    expect(lines).toHaveLength(isTTY ? 1 : 3);
    if (isTTY) {
      const frames = written.split('\r\u001b[K').slice(1);
      expect(frames.length).toBeGreaterThan(50);
      for (const frame of frames) expect(frame.trimEnd().length).toBeLessThan(60);
      expect(frames.at(-1)).toMatch(/^\[█{24}\] 1000 of 1000/);
    }
  },
);
