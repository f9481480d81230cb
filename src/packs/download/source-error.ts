import { PackDownloadError } from '../pack-errors.ts';

const RETRYABLE_STATUSES = new Set([408, 425, 429, 500, 502, 503, 504]);

/** A request to a source failed. Messages and fields never contain credentials of a URL or a proxy. */
export class SourceError extends PackDownloadError {
  /** Whether another attempt at the same source may succeed. */
  readonly retryable: boolean;
  /** Status of the source's answer, if that is the failure. */
  readonly status: number | undefined;

  constructor(message: string, { retryable, status }: { retryable: boolean; status?: number }) {
    super(message);
    this.retryable = retryable;
    this.status = status;
  }
}

/** Whether a source, or a proxy, that answers with this status may answer otherwise the next time. */
export function isRetryable(status: number): boolean {
  return RETRYABLE_STATUSES.has(status);
}

/** The URL for logs and errors, without user name, password and query, which may be secret. */
export function displayUrl({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}
