import { LOCK_TIMING, type LockTiming } from '../install/install-lock.ts';

/** Timeouts and retries of a download. Times are in milliseconds. */
export interface DownloadTuning extends LockTiming {
  /** Maximum time to connect to a source or a proxy. */
  connectTimeoutMs: number;
  /** Maximum time until the headers of a response arrive. */
  headersTimeoutMs: number;
  /** Maximum time between two parts of a response's body. */
  idleTimeoutMs: number;
  /** Attempts for each source. Progress resets the count. */
  attempts: number;
  /** Pause after the first failed attempt. It doubles with each further one. */
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
