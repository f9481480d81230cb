import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { megabytes, reportDownload } from '../../src/packs/download/report-download.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Reports 100 MB in a thousand steps over 20 seconds. */
function reportTo({ isTTY }: { isTTY: boolean }) {
  const logged: string[] = [];
  const written: string[] = [];
  const log = (_: object, message: string) => logged.push(message);
  const terminal = { isTTY, columns: 40, write: (text: string) => written.push(text) };
  const { events, end } = reportDownload('buffalo_l', { info: log, warn: log }, terminal);
  events.onSource?.('https://mirror/buffalo_l.zip');
  for (let bytes = 100_000; bytes <= 1e8; bytes += 100_000) {
    vi.advanceTimersByTime(20);
    events.onProgress?.(bytes, 1e8);
  }
  events.onFailure?.('It broke.');
  end();
  return { logged, written };
}

describe('reportDownload', () => {
  it('logs the progress every few seconds if there is no terminal', () => {
    const { logged, written } = reportTo({ isTTY: false });
    expect(written).toEqual([]);
    expect(logged).toHaveLength(7);
    expect(logged[0]).toBe('Downloading buffalo_l from https://mirror/buffalo_l.zip.');
    expect(logged.at(-2)).toBe('Downloading buffalo_l: 100 MB of 100 MB (100 %).');
  });

  it('rewrites one line of a terminal, and ends it before a message is logged', () => {
    const { logged, written } = reportTo({ isTTY: true });
    expect(logged).toEqual([
      'Downloading buffalo_l from https://mirror/buffalo_l.zip.',
      'A source of buffalo_l failed. It broke.',
    ]);
    expect(written.length).toBeLessThan(205);
    expect(written.at(-1)).toBe('\n');
    expect(written.slice(0, -1).every((text) => text.startsWith('\r') && text.length <= 43)).toBe(true);
  });

  it('shows decimal megabytes', () => {
    expect([megabytes(0), megabytes(14_969_382), megabytes(2_524_817)]).toEqual([
      '0.0 MB',
      '15 MB',
      '2.5 MB',
    ]);
  });
});
