import type { DownloadEvents } from './download-pack.ts';

/** What this module needs of a log; pino's Logger has it. */
export interface PackLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** How often progress is told, in milliseconds: on a log, and on a terminal. */
const LOG_INTERVAL_MS = 5_000;
const TERMINAL_INTERVAL_MS = 100;

/** A terminal to rewrite a line on. */
export interface Terminal {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

/**
 * Tells how a download goes: milestones on the log, and progress as one line that rewrites itself where there is a
 * terminal, else on the log at a bounded rate.
 *
 * @returns what to pass to `downloadPack`, and what to call when it ended, however it did.
 */
export function reportDownload(
  pack: string,
  log: PackLog,
  terminal: Terminal = process.stderr,
): { events: DownloadEvents; end: () => void } {
  let toldAt = Number.NEGATIVE_INFINITY;
  let lineOpen = false;
  const closeLine = () => {
    if (lineOpen) terminal.write('\n');
    lineOpen = false;
  };
  const onProgress = (bytes: number, total: number | undefined) => {
    const now = performance.now();
    const interval = terminal.isTTY ? TERMINAL_INTERVAL_MS : LOG_INTERVAL_MS;
    if (now - toldAt < interval && bytes !== total) return;
    toldAt = now;
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

/** Bytes for people: decimal megabytes, as download pages show them. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}

function progressText(bytes: number, total: number | undefined): string {
  if (total === undefined) return megabytes(bytes);
  return `${megabytes(bytes)} of ${megabytes(total)} (${Math.floor((100 * bytes) / total)} %)`;
}
