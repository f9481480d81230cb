const BAR_WIDTH = 24;
const TERMINAL_INTERVAL_MS = 100;
const LOG_INTERVAL_MS = 5_000;

/** The part of a terminal, or of any output stream, that the progress needs. */
export interface ProgressStream {
  isTTY?: boolean | undefined;
  columns?: number | undefined;
  write(text: string): unknown;
}

export interface Progress {
  advance(outcome: { cached: boolean; failed: boolean }): void;
  end(): void;
}

export interface Counts {
  done: number;
  /** Embedded by an earlier, interrupted run. */
  cached: number;
  failed: number;
}

/**
 * Shows the progress: on a terminal a line that is redrawn, elsewhere a line every few seconds.
 *
 * @param now milliseconds.
 */
export function showProgress(
  total: number,
  stream: ProgressStream = process.stderr,
  now: () => number = () => performance.now(),
): Progress {
  const started = now();
  const counts: Counts = { done: 0, cached: 0, failed: 0 };
  const interval = stream.isTTY ? TERMINAL_INTERVAL_MS : LOG_INTERVAL_MS;
  let shownAt = started;
  const show = () => {
    shownAt = now();
    const text = progressLine(counts, total, now() - started);
    const line = `${bar(counts.done / total)} ${text}`.slice(0, (stream.columns ?? 80) - 1);
    stream.write(stream.isTTY ? `\r\u001b[K${line}` : `${text}\n`);
  };
  return {
    advance({ cached, failed }) {
      counts.done++;
      if (cached) counts.cached++;
      if (failed) counts.failed++;
      if (now() - shownAt >= interval) show();
    },
    end() {
      show();
      if (stream.isTTY) stream.write('\n');
    },
  };
}

/** @param ms since the start. The rate leaves out what is cached, which takes no time. */
export function progressLine({ done, cached, failed }: Counts, total: number, ms: number): string {
  const embedded = done - cached;
  const rate = embedded / (ms / 1_000);
  const parts = [`${done} of ${total} pictures`];
  if (cached > 0) parts.push(`${cached} from before`);
  if (failed > 0) parts.push(`${failed} failed`);
  if (embedded > 0 && ms > 0) {
    parts.push(`${rate < 10 ? rate.toFixed(1) : Math.round(rate)} a second`);
    if (done < total) parts.push(`about ${duration((total - done) / rate)} left`);
  }
  return parts.join(', ');
}

function bar(share: number): string {
  const filled = Math.round(share * BAR_WIDTH);
  return `[${'█'.repeat(filled)}${'·'.repeat(BAR_WIDTH - filled)}]`;
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
