import { ServiceError } from '../../errors.ts';

/** How fast a body has to arrive. */
export interface Pace {
  /** Maximum time for all of it, in milliseconds; see BODY_TIMEOUT_MS. */
  timeout: number;
  /** Minimum bytes a second; see MIN_UPLOAD_RATE. */
  minRate: number;
}

/** The minimum rate counts from here on: a connection starts slowly, and a short interruption is no attack. In milliseconds. */
const GRACE_MS = 5_000;
/** How often the rate is checked after that, in milliseconds. */
const CHECK_MS = 1_000;

/**
 * Watches a body that is arriving.
 *
 * @param bytesRead what has arrived so far.
 * @param onSlow is called once, when it is too slow.
 * @returns ends the watch.
 */
export function watchPace(
  { timeout, minRate }: Pace,
  bytesRead: () => number,
  onSlow: (error: ServiceError) => void,
): () => void {
  const started = performance.now();
  const check = () => {
    const elapsed = performance.now() - started;
    // Timers may fire a fraction of a millisecond early.
    if (elapsed > timeout - 1) {
      onSlow(tooSlow(`The body did not arrive within ${timeout} ms.`));
    } else if (bytesRead() < (minRate * (elapsed - GRACE_MS)) / 1000) {
      onSlow(tooSlow(`The body came at less than ${minRate} bytes a second.`));
    } else {
      timer = setTimeout(check, Math.min(CHECK_MS, timeout - elapsed));
    }
  };
  let timer = setTimeout(check, Math.min(minRate > 0 ? GRACE_MS + CHECK_MS : timeout, timeout));
  return () => clearTimeout(timer);
}

function tooSlow(detail: string): ServiceError {
  return new ServiceError('INVALID_REQUEST', { detail });
}
