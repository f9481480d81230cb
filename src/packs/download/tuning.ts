import { LOCK_TIMING, type LockTiming } from '../install/install-lock.ts';

/** How patient a download is. Times are milliseconds. */
export interface DownloadTuning extends LockTiming {
  /** Longest time until a connection to a source or a proxy stands. */
  connectTimeoutMs: number;
  /** Longest wait for a source's answer to begin. */
  headersTimeoutMs: number;
  /** Longest silence in the middle of an answer. */
  idleTimeoutMs: number;
  /** Attempts for each source; one that got further than all before does not count. */
  attempts: number;
  /** Pause after the first failed attempt; it doubles with each. */
  firstPauseMs: number;
}

export const DOWNLOAD_TUNING: DownloadTuning = {
  connectTimeoutMs: 10_000,
  headersTimeoutMs: 30_000,
  idleTimeoutMs: 30_000,
  attempts: 5,
  firstPauseMs: 500,
  ...LOCK_TIMING,
};
