import { record } from './audit.ts';
import { type Backend, Refusal } from './backend.ts';
import { readPhotographs, storeTemplate } from './templates.ts';

/** Who, the version of the text that this person agreed to, and who wrote it down. */
export type Enrolment = Record<'name' | 'consentVersion' | 'recordedBy', string>;

/**
 * Enrols someone who has agreed. Photographs are not stored, only what is made of them.
 *
 * @returns the id, and of each photograph whether it was used, and its quality or what is wrong with it.
 * @throws {Refusal} CONSENT_MISSING; PHOTOGRAPHS_REFUSED, with `photographs`.
 */
export async function enrol(backend: Backend, person: Enrolment, photographs: Blob[]) {
  const { name, consentVersion: version, recordedBy } = person;
  if (version !== backend.settings.consentVersion)
    throw new Refusal(422, 'CONSENT_MISSING', 'Consent to the present version of the text is needed.');
  const { templates, faces = [], reports } = await readPhotographs(backend, photographs);
  return backend.database.transaction(async (sql) => {
    const insert = 'INSERT INTO people (name) VALUES ($1) RETURNING id';
    const people = await sql.query<{ id: string }>(insert, [name]);
    const { id } = people[0] as { id: string };
    const consent = 'INSERT INTO consents (person_id, text_version, recorded_by) VALUES ($1, $2, $3)';
    await sql.query(consent, [id, version, recordedBy]);
    for (const template of templates) await storeTemplate(sql, id, template);
    for (const face of faces)
      await sql.query('INSERT INTO faces (person_id, image) VALUES ($1, $2)', [id, face]);
    await record(sql, recordedBy, 'enrolled', id, { consent: version, photographs: photographs.length });
    return { id, photographs: reports };
  });
}

/** Deletes someone with all that is theirs. @throws {Refusal} NOT_FOUND. */
export async function forget({ database }: Backend, id: string): Promise<void> {
  await database.transaction(async (sql) => {
    const deleted = await sql.query('DELETE FROM people WHERE id = $1 RETURNING id', [id]);
    if (deleted.length === 0) throw new Refusal(404, 'NOT_FOUND', 'Nobody has this id.');
    await record(sql, 'admin', 'deleted', id);
  });
}

/** What is stored of whom. */
export function listPeople({ database }: Backend): Promise<object[]> {
  return database.query(`
    SELECT id, name, enrolled_at, text_version AS consent, given_at, recorded_by,
      (SELECT count(*)::int FROM faces WHERE person_id = people.id) AS faces,
      (SELECT array_agg(space ORDER BY space) FROM templates WHERE person_id = people.id) AS spaces
    FROM people JOIN consents ON person_id = id ORDER BY name, id`);
}
