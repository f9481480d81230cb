import type { DiagLogger } from '@opentelemetry/api';
import type { Logger } from './log.ts';

const PAUSE_MS = 60_000;

/** A message may quote the collector's whole answer. */
const MAX_TEXT = 300;

/**
 * Writes the SDK's own warnings to our log: all of them while it is set up, since each is about another variable; later at most
 * one a minute, since a collector that is down fails with every batch.
 */
export class SdkDiagnostics implements DiagLogger {
  readonly #log: Logger;
  #throttling = false;
  #quietUntil = 0;
  #suppressed = 0;

  constructor(log: Logger) {
    this.#log = log;
  }

  startThrottling(): void {
    this.#throttling = true;
  }

  error(...parts: unknown[]): void {
    this.#report(parts);
  }

  warn(...parts: unknown[]): void {
    this.#report(parts);
  }

  info(): void {}

  debug(): void {}

  verbose(): void {}

  #report(parts: unknown[]): void {
    const now = performance.now();
    if (this.#throttling && now < this.#quietUntil) {
      this.#suppressed++;
      return;
    }
    // Parts that are not strings may be anything, such as the collector's answer.
    const reason = parts.filter((part) => typeof part === 'string').map(readable);
    this.#log.warn(
      { reason: reason.join(' ').slice(0, MAX_TEXT), suppressed: this.#suppressed },
      'OpenTelemetry reports a problem',
    );
    this.#suppressed = 0;
    if (this.#throttling) this.#quietUntil = now + PAUSE_MS;
  }
}

/** One line about an error of the exporter; some have a code and no message. */
export function problemText(error: unknown): string {
  const { name, message, code } = (error ?? {}) as Partial<Record<'name' | 'message' | 'code', unknown>>;
  const text = String(message || name || error);
  return code === undefined || text.includes(String(code)) ? text : `${text} (${code})`;
}

/** The SDK serialises an error as JSON, with its stack and the collector's answer. */
function readable(part: string): string {
  if (!part.startsWith('{')) return part;
  try {
    const error = JSON.parse(part);
    return error.name || error.message ? problemText(error) : part;
  } catch {
    return part;
  }
}
