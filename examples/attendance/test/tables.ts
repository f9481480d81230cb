import type { Database } from '../src/database.ts';

export const TABLES = ['people', 'consents', 'templates', 'faces', 'audit'];

/** The rows of all tables of the database, whichever there are, that have this text anywhere. */
export async function rowsNaming(database: Database, text: string): Promise<{ table: string }[]> {
  const tables = await database.query<{ table: string }>(
    `SELECT table_name AS "table" FROM information_schema.tables
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1`,
  );
  if (tables.length !== TABLES.length) throw new Error('The test does not know all tables.');
  const rows = [];
  for (const { table } of tables) {
    const found = await database.query(`SELECT 1 FROM ${table} WHERE ${table}::text LIKE $1`, [`%${text}%`]);
    for (const _ of found) rows.push({ table });
  }
  return rows;
}
