import { isatty } from 'node:tty';
import { type Logger, pino } from 'pino';
import { LogOutput } from './log-output.ts';

export type { Logger };

export interface LoggerOptions {
  level: string;
  name: string;
  output?: LogOutput;
}

/**
 * JSON lines on standard output. On a terminal, lines for people, where pino-pretty is installed, which it is not in the
 * image.
 */
export async function createLogger({
  level,
  name,
  output = new LogOutput(1),
}: LoggerOptions): Promise<Logger> {
  const options = { level, name, base: { pid: process.pid, name } };
  const pretty = isatty(1) ? await import('pino-pretty').catch(() => undefined) : undefined;
  const format = pretty?.prettyFactory({ colorize: true, ignore: 'pid,hostname,name', singleLine: true });
  const log = pino(options, format ? { write: (line) => output.write(format(line) ?? line) } : output);
  output.onResumed = (dropped) =>
    log.warn({ dropped }, 'log lines were dropped, because standard output did not take them');
  return log;
}
