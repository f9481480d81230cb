import type { Sql } from './database.ts';

/** Writes down what was done. Never a name, a picture, an embedding or a distance: the log outlives the person. */
export async function record(sql: Sql, actor: string, action: string, personId?: string, detail = {}) {
  const insert = 'INSERT INTO audit (actor, action, person_id, detail) VALUES ($1, $2, $3, $4::jsonb)';
  await sql.query(insert, [actor, action, personId ?? null, JSON.stringify(detail)]);
}

export function readAudit(sql: Sql): Promise<object[]> {
  return sql.query('SELECT at, actor, action, person_id, detail FROM audit ORDER BY id DESC LIMIT 1000');
}

/** Forgets old entries, and frees the space of what was deleted. Its bytes stay in the files until new rows are written over them. */
export async function purge(sql: Sql, days: number): Promise<void> {
  await sql.query(`DELETE FROM audit WHERE at < now() - $1 * interval '1 day'`, [days]);
  for (const table of ['audit', 'templates', 'faces', 'consents', 'people'])
    await sql.query(`VACUUM ${table}`);
}
