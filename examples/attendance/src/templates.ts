import type { EmbeddedBatch } from 'face-embedding-client';
import { type Backend, Refusal } from './backend.ts';
import type { Sql } from './database.ts';

/** One embedding of a person, and the indexes of the photographs that it is made of. */
type Template = { space: string; embedding: Float32Array; used: number[] };

/** Codes in a batch that say nothing about the photograph. */
const TRANSIENT = ['RATE_LIMITED', 'OVERLOADED', 'MODEL_NOT_LOADED', 'DEADLINE_EXCEEDED', 'PROCESSING_ERROR'];

/**
 * Makes a template of the photographs in each space in use.
 *
 * @returns also the aligned faces, and of each photograph its quality or what is wrong with it.
 * @throws {Refusal} PHOTOGRAPHS_REFUSED if too few are good and show the same person.
 */
export async function readPhotographs({ database, services, settings }: Backend, photographs: Blob[]) {
  const { minPhotos, maxPhotos, minEnrolQuality: min_quality, storeFaces } = settings;
  const count = photographs.length;
  const refuse = (message: string, reports: object[]) =>
    new Refusal(422, 'PHOTOGRAPHS_REFUSED', message, { photographs: reports });
  if (count < minPhotos || count > maxPhotos)
    throw refuse(`${minPhotos} to ${maxPhotos} photographs are needed, not ${count}.`, []);
  // Of a JPEG, the embedding would differ a little.
  const stored = { return_face: storeFaces, face_format: 'png' } as const;
  const all = [];
  for (const service of services) {
    const answer = await service.embedBatch(photographs, {
      faces: 'single',
      fuse: true,
      min_quality,
      ...stored,
    });
    const template = await templateOf(database, answer);
    const used = template?.used ?? [];
    const reports = answer.results.map((result) => reportOf(result, used.includes(result.index)));
    const message = `${used.length} can be used; ${minPhotos} good photographs of one person are needed.`;
    if (!template || used.length < minPhotos) throw refuse(message, reports);
    const images = used.map((index) => (answer.results[index] as { face_image?: string }).face_image);
    const faces = images.flatMap((url) =>
      url ? [Buffer.from(url.slice(url.indexOf(',') + 1), 'base64')] : [],
    );
    all.push({ template, faces, reports });
  }
  // What is stored and shown is by the model in use, the first.
  return { templates: all.map(({ template }) => template), faces: all[0]?.faces, reports: all[0]?.reports };
}

function reportOf(result: EmbeddedBatch['results'][number], used: boolean): object {
  if ('error_code' in result) return { ...result, used };
  const report = { index: result.index, used, quality: 'quality' in result ? result.quality : undefined };
  const detail = 'It shows somebody else than the others, or is too poor to tell.';
  return used ? report : { ...report, error_code: 'ANOTHER_PERSON', detail };
}

/**
 * The template of a batch, whose space has an index then.
 *
 * @returns undefined if the pictures disagree. @throws {Refusal} OVERLOADED, if the service was too busy for one of them.
 */
export async function templateOf(database: Sql, { results, template, model }: EmbeddedBatch) {
  if (results.some((result) => 'error_code' in result && TRANSIENT.includes(result.error_code)))
    throw new Refusal(503, 'OVERLOADED', 'Please try again in a moment.', { retryAfter: 1 });
  if (!template || 'error' in template) return undefined;
  const { embedding, used } = template;
  await database.query('SELECT index_space($1, $2)', [model.embedding_space, embedding.length]);
  return { space: model.embedding_space, embedding, used };
}

export async function storeTemplate(sql: Sql, id: string, { space, embedding, used }: Template) {
  // Of someone who was deleted meanwhile, nothing comes back. The lock waits for a deletion that is under way.
  const insert = `INSERT INTO templates (person_id, space, embedding, photographs)
    SELECT id, $2::text, $3::vector, $4::int FROM people WHERE id = $1 FOR KEY SHARE ON CONFLICT DO NOTHING`;
  await sql.query(insert, [id, space, vectorText(embedding), used.length]);
}

/** As pgvector reads it. */
export const vectorText = (embedding: Float32Array) => `[${embedding.join(',')}]`;
