import type { DownloadEvents } from './source-context.ts';

/** The part of pino's Logger that this module needs. */
export interface PackLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** Minimum time between two reports of progress in a log and on a terminal. */
const LOG_INTERVAL_MS = 5_000;
const TERMINAL_INTERVAL_MS = 100;

/** Like `process.stderr`. */
export interface Terminal {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

/**
 * Reports a download: its events in the log, and its progress in one line of the terminal, or in the log if there is no
 * terminal.
 *
 * @returns `events` for `downloadPack`, and `end`, which must be called when it succeeded or failed.
 */
export function reportDownload(
  pack: string,
  log: PackLog,
  terminal: Terminal = process.stderr,
): { events: DownloadEvents; end: () => void } {
  let reportedAt = Number.NEGATIVE_INFINITY;
  let lineOpen = false;
  const closeLine = () => {
    if (lineOpen) terminal.write('\n');
    lineOpen = false;
  };
  const onProgress = (bytes: number, total: number | undefined) => {
    const now = performance.now();
    const interval = terminal.isTTY ? TERMINAL_INTERVAL_MS : LOG_INTERVAL_MS;
    if (now - reportedAt < interval && bytes !== total) return;
    reportedAt = now;
    if (terminal.isTTY) {
      const line = `Downloading ${pack}: ${progressText(bytes, total)}`.slice(
        0,
        (terminal.columns ?? 80) - 1,
      );
      terminal.write(`\r\u001b[K${line}`);
      lineOpen = true;
    } else {
      log.info({ pack, bytes, total }, `Downloading ${pack}: ${progressText(bytes, total)}.`);
    }
  };
  const events: DownloadEvents = {
    onProgress,
    onSource: (source) => {
      closeLine();
      log.info({ pack, source }, `Downloading ${pack} from ${source}.`);
    },
    onFailure: (reason) => {
      closeLine();
      log.warn({ pack, reason }, `A source of ${pack} failed. ${reason}`);
    },
    onWait: (holder) => {
      log.info({ pack, holder }, `Another process (${holder}) is installing ${pack}; waiting for it.`);
    },
  };
  return { events, end: closeLine };
}

/** Formats bytes as decimal megabytes. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}

function progressText(bytes: number, total: number | undefined): string {
  if (total === undefined) return megabytes(bytes);
  return `${megabytes(bytes)} of ${megabytes(total)} (${Math.floor((100 * bytes) / total)} %)`;
}
