import type { Logger } from '../observability/log.ts';

/** What a failure of the operating system means, where a sentence helps more than a stack. */
const SYSTEM_ERRORS: Record<string, string> = {
  EMFILE:
    'This process may not open more files (EMFILE). Raise the limit (ulimit -n, LimitNOFILE) to 1024 or more.',
  ENFILE: 'The machine has too many open files (ENFILE). Raise fs.file-max, or end what holds them.',
  ENOMEM: 'The machine has no memory left (ENOMEM).',
  ENOSPC: 'A volume is full (ENOSPC).',
  ERR_WORKER_INIT_FAILED:
    'The system refuses another thread. Raise the limit (ulimit -u, TasksMax, pids_limit), or lower WORKERS.',
};

let log: Logger | undefined;
let onFatal: () => void = () => process.exit(1);

/** Errors that nothing caught, rejections included. */
export function installErrorHandler(): void {
  process.on('uncaughtException', (error, origin) => {
    reportFatal(error, `an unforeseen error (${origin})`);
    onFatal();
  });
}

/** Logs what Node writes to standard error otherwise, where it would wait for a reader. */
export function logWarnings(logger: Logger): void {
  process.removeAllListeners('warning');
  process.on('warning', (warning) => logger.warn({ err: warning }, 'Node warns of something'));
}

/** @param handler ends the process, after the error has been logged. */
export function handleFatalErrors(logger: Logger, handler: () => void): void {
  log = logger;
  onFatal = handler;
}

/** One line, on standard error while there is no log: a sentence where the operating system refused something, else the error with its stack. */
export function reportFatal(error: unknown, message: string): void {
  const explanation = explain(error);
  if (log === undefined && explanation !== undefined) {
    process.stderr.write(`${explanation}\n`);
  } else if (log === undefined) {
    process.stderr.write(`${JSON.stringify(fatalLine(error, message))}\n`);
  } else {
    log.fatal({ err: error }, explanation ?? message);
  }
}

/** The codes of an error and of its causes. */
function explain(error: unknown): string | undefined {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown };
  if (typeof code === 'string' && code in SYSTEM_ERRORS) return SYSTEM_ERRORS[code];
  return cause === undefined ? undefined : explain(cause);
}

/** As the log would write it. */
function fatalLine(error: unknown, msg: string): Record<string, unknown> {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return { level: 60, time: Date.now(), pid: process.pid, err: { type: name, message, stack }, msg };
}
