import { readFile } from 'node:fs/promises';
import pg from 'pg';

export interface Sql {
  query<Row>(text: string, values?: unknown[]): Promise<Row[]>;
}

export interface Database extends Sql {
  /** Runs several statements without values. */
  script(text: string): Promise<unknown>;
  /** Keeps all that `work` does, or nothing if it throws. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Opens PostgreSQL, or without a URL PGlite (PostgreSQL in WebAssembly, in this process), and creates what is missing. */
export async function openDatabase(url: string | undefined, folder: string): Promise<Database> {
  const database = url ? openPostgres(url) : await openPglite(folder);
  await database.script(await readFile(new URL('../schema.sql', import.meta.url), 'utf8'));
  return database;
}

function openPostgres(connectionString: string): Database {
  const pool = new pg.Pool({ connectionString });
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', ({ message }) => console.error(message));
  const on = (connection: pg.Pool | pg.PoolClient): Sql => ({
    query: async (text, values) => (await connection.query(text, values)).rows,
  });
  return {
    ...on(pool),
    script: (text) => pool.query(text),
    async transaction(work) {
      const connection = await pool.connect();
      try {
        await connection.query('BEGIN');
        const result = await work(on(connection));
        await connection.query('COMMIT');
        connection.release();
        return result;
      } catch (error) {
        // Closes the connection, which rolls back.
        connection.release(true);
        throw error;
      }
    },
    close: () => pool.end(),
  };
}

/** @param folder where it keeps its files, or `memory://`. */
async function openPglite(folder: string): Promise<Database> {
  const { PGlite } = await import('@electric-sql/pglite');
  const { vector } = await import('@electric-sql/pglite-pgvector');
  const pglite = await PGlite.create(folder, { extensions: { vector } });
  const on = (connection: Pick<typeof pglite, 'query'>): Sql => ({
    query: async <Row>(text: string, values?: unknown[]) => (await connection.query<Row>(text, values)).rows,
  });
  return {
    ...on(pglite),
    script: (text) => pglite.exec(text),
    transaction: (work) => pglite.transaction((connection) => work(on(connection))),
    close: () => pglite.close(),
  };
}
