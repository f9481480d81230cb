import { destination, type Logger, pino } from 'pino';

export type { Logger };

/**
 * Writes JSON lines to standard output; on a terminal, human-readable lines if pino-pretty is installed, which it is not in the
 * image. Each line is written before the program continues: the last line before a crash matters most.
 */
export async function createLogger({ level, name }: { level: string; name: string }): Promise<Logger> {
  const options = { level, name, base: { pid: process.pid, name } };
  const pretty = process.stdout.isTTY ? await import('pino-pretty').catch(() => undefined) : undefined;
  if (pretty === undefined) return pino(options, destination({ fd: 1, sync: true }));
  return pino(
    options,
    pretty.default({ colorize: true, ignore: 'pid,hostname,name', singleLine: true, sync: true }),
  );
}
