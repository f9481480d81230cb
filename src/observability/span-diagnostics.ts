import type { DiagLogger } from '@opentelemetry/api';
import type { Logger } from './log.ts';

const PAUSE_MS = 60_000;

/** A complaint may quote the collector's whole answer. */
const MAX_TEXT = 300;

/**
 * The SDK's own complaints, on our log. While it is set up each is told, as each is about another variable; later one a
 * minute, as a collector that is down fails with every batch.
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
    this.#tell(parts);
  }

  warn(...parts: unknown[]): void {
    this.#tell(parts);
  }

  info(): void {}

  debug(): void {}

  verbose(): void {}

  #tell(parts: unknown[]): void {
    const now = performance.now();
    if (this.#throttling && now < this.#quietUntil) {
      this.#suppressed++;
      return;
    }
    // What is not text may be anything, the collector's answer for one.
    const reason = parts.filter((part) => typeof part === 'string').map(readable);
    this.#log.warn(
      { reason: reason.join(' ').slice(0, MAX_TEXT), suppressed: this.#suppressed },
      'OpenTelemetry reports a problem',
    );
    this.#suppressed = 0;
    if (this.#throttling) this.#quietUntil = now + PAUSE_MS;
  }
}

/** One line about an error of the exporter: some say what happened only by their code. */
export function problemText(error: unknown): string {
  const { name, message, code } = (error ?? {}) as Partial<Record<'name' | 'message' | 'code', unknown>>;
  const text = String(message || name || error);
  return code === undefined || text.includes(String(code)) ? text : `${text} (${code})`;
}

/** The SDK writes an error as JSON, with its stack and the collector's answer. */
function readable(part: string): string {
  if (!part.startsWith('{')) return part;
  try {
    const error = JSON.parse(part);
    return error.name || error.message ? problemText(error) : part;
  } catch {
    return part;
  }
}
