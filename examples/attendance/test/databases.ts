import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnChild } from '../../../test/support/processes/child-process.ts';
import { type Database, openDatabase } from '../src/database.ts';

/** The user that PostgreSQL runs as where tests run as root, as whom it refuses to. */
const NOBODY = 65_534;

/** The folder of PostgreSQL's programs (`PG_BIN`, else by pg_config), if it has pgvector. */
function findPostgres(): string | undefined {
  const ask = (program: string, option: string) =>
    execFileSync(program, [option], { encoding: 'utf8' }).trim();
  try {
    const config = process.env.PG_BIN ? join(process.env.PG_BIN, 'pg_config') : 'pg_config';
    const hasVector = existsSync(join(ask(config, '--sharedir'), 'extension/vector.control'));
    return hasVector && existsSync(join(ask(config, '--bindir'), 'initdb'))
      ? ask(config, '--bindir')
      : undefined;
  } catch {
    return undefined;
  }
}

const programs = findPostgres();

export interface OpenDatabase {
  database: Database;
  close: () => Promise<void>;
}

/** How to open an empty database of each kind that is at hand. */
export const DATABASES: readonly { kind: string; open: () => Promise<OpenDatabase> }[] = [
  { kind: 'PGlite', open: openPglite },
  ...(programs ? [{ kind: 'PostgreSQL', open: () => startPostgres(programs) }] : []),
];

export async function openPglite(): Promise<OpenDatabase> {
  const database = await openDatabase(undefined, 'memory://');
  return { database, close: () => database.close() };
}

async function startPostgres(bin: string): Promise<OpenDatabase> {
  // Also the folder of its socket, whose path has little room.
  const folder = mkdtempSync(join(tmpdir(), 'pg-'));
  const isRoot = process.getuid?.() === 0;
  if (isRoot) chownSync(folder, NOBODY, NOBODY);
  const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  const data = join(folder, 'data');
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-N'], {
    ...user,
    stdio: 'ignore',
  });
  const options = ['-D', data, '-k', folder, '-c', 'listen_addresses=', '-F'];
  const server = spawnChild(join(bin, 'postgres'), options, { ...user, stdio: 'ignore' });
  const ended = new Promise((resolve) => server.once('close', resolve));
  const url = `postgres://postgres@localhost/postgres?host=${encodeURIComponent(folder)}`;
  const stop = async () => {
    // Waits until all connections are closed.
    server.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  for (;;) {
    try {
      const database = await openDatabase(url, '');
      return { database, close: () => database.close().then(stop) };
    } catch (error) {
      // It is starting: nobody listens, or it says so.
      const { code } = error as { code?: string };
      if (!['ECONNREFUSED', 'ENOENT', '57P03'].includes(code ?? '') || server.exitCode !== null) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
