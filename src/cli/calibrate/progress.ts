const BAR_WIDTH = 24;
const TERMINAL_INTERVAL_MS = 100;
const LOG_INTERVAL_MS = 5_000;

/**
 * Tells how far the work is: a line that rewrites itself on a terminal, a line every few seconds elsewhere.
 *
 * @param total of all. @param stream {isTTY, columns, write}. @param now milliseconds.
 * @returns {advance, end}; advance takes {cached, failed}.
 */
export function showProgress(total, stream = process.stderr, now = () => performance.now()) {
  const started = now();
  const counts = { done: 0, cached: 0, failed: 0 };
  const interval = stream.isTTY ? TERMINAL_INTERVAL_MS : LOG_INTERVAL_MS;
  let shownAt = started;
  const show = () => {
    shownAt = now();
    const text = progressLine(counts, total, now() - started);
    if (stream.isTTY)
      stream.write(`\r\u001b[K${`${bar(counts.done / total)} ${text}`.slice(0, (stream.columns ?? 80) - 1)}`);
    else stream.write(`${text}\n`);
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

/** @param ms since the start. The rate is of what was embedded now; what was there before took no time. */
export function progressLine({ done, cached, failed }, total, ms) {
  const fresh = done - cached;
  const rate = fresh / (ms / 1_000);
  const parts = [`${done} of ${total} pictures`];
  if (cached > 0) parts.push(`${cached} from before`);
  if (failed > 0) parts.push(`${failed} failed`);
  if (fresh > 0 && ms > 0) {
    parts.push(`${rate < 10 ? rate.toFixed(1) : Math.round(rate)} a second`);
    if (done < total) parts.push(`about ${duration((total - done) / rate)} left`);
  }
  return parts.join(', ');
}

function bar(share) {
  const filled = Math.round(share * BAR_WIDTH);
  return `[${'█'.repeat(filled)}${'·'.repeat(BAR_WIDTH - filled)}]`;
}

function duration(seconds) {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
