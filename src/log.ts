import { destination, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

export type { Logger };

/**
 * JSON lines on standard output, or something easier on the eye when that is a terminal. Each line is written before
 * the program goes on: what was said last before a crash or a kill is what matters most.
 */
export function createLogger({ level, name }: { level: string; name: string }): Logger {
  const options = { level, name, base: { pid: process.pid, name } };
  return process.stdout.isTTY
    ? pino(options, pretty({ colorize: true, ignore: 'pid,hostname,name', sync: true }))
    : pino(options, destination({ fd: 1, sync: true }));
}
