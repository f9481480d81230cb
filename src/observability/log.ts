import { destination, type Logger, pino } from 'pino';

export type { Logger };

/**
 * JSON lines on standard output, or something easier on the eye when that is a terminal. Each line is written before
 * the program goes on: what was said last before a crash or a kill is what matters most.
 */
export async function createLogger({ level, name }: { level: string; name: string }): Promise<Logger> {
  const options = { level, name, base: { pid: process.pid, name } };
  if (!process.stdout.isTTY) return pino(options, destination({ fd: 1, sync: true }));
  const { default: pretty } = await import('pino-pretty');
  return pino(options, pretty({ colorize: true, ignore: 'pid,hostname,name', sync: true }));
}
