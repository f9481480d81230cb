import { type EmbeddedFace, type FaceEmbeddingClient, FaceEmbeddingError } from 'face-embedding-client';
import { record } from './audit.ts';
import { type Backend, Refusal } from './backend.ts';
import type { Database } from './database.ts';
import { vectorText } from './templates.ts';

/** Whom a space knows. */
interface Coverage {
  people: number;
  enrolled: number;
  /** Whether there are templates of several photographs. */
  fused: boolean;
}

/** Enough for a service that answers. */
const BRIEFLY = { timeoutMs: 2000 };

const COVERAGE = `SELECT (SELECT count(*)::int FROM people) AS people, count(*)::int AS enrolled,
  coalesce(bool_or(photographs > 1), false) AS fused FROM templates WHERE space = $1`;

/**
 * Says who is in front of the camera.
 *
 * @returns `person` (with `fpir`, the rate at which a stranger is as near to somebody), or `recognised: false`.
 * @throws {Refusal} MIGRATION_INCOMPLETE; RATE_NOT_MEASURED, where the service's figures do not carry `MAX_FPIR` among so many.
 * @throws {FaceEmbeddingError} what the service says about the picture.
 */
export async function recognise(backend: Backend, picture: Blob) {
  const { database, services, settings } = backend;
  let detail = '';
  for (const service of services) {
    // Asked before the picture costs an inference. During a change of model, the door does without a service that is down.
    const info = await service.modelInfo(service === services.at(-1) ? {} : BRIEFLY).catch((error) => {
      if (service === services.at(-1)) throw error;
    });
    if (!info) continue;
    const [coverage] = (await database.query(COVERAGE, [info.embedding_space])) as [Coverage];
    const { people, enrolled } = coverage;
    if (enrolled >= people * settings.minCoverage) {
      const face = await service.embed(picture, { faces: 'largest', min_quality: settings.minDoorQuality });
      const { embedding_space: space } = face.model;
      // Its model has been changed in this moment.
      if (space !== info.embedding_space) break;
      const match = await search(backend, service, face, coverage);
      const action = match ? 'recognised' : 'not recognised';
      await record(database, 'door', action, match?.person.id, { space, enrolled });
      return { recognised: match !== undefined, ...match };
    }
    detail += `${enrolled} of ${people} people have an embedding of ${info.embedding_space}. `;
  }
  const more = { detail: detail.trim(), retryAfter: 60 };
  throw new Refusal(503, 'MIGRATION_INCOMPLETE', 'The change of model is under way.', more);
}

async function search(backend: Backend, service: FaceEmbeddingClient, face: EmbeddedFace, of: Coverage) {
  const { settings, database } = backend;
  const { embedding, model } = face;
  const { enrolled, fused } = of;
  const candidates = await nearestTo(database, embedding, model.embedding_space);
  // A template of several photographs is as near to strangers as one photograph is at up to twice the rate (docs/FUSION.md).
  const chances = fused ? 2 : 1;
  // Not max_fpir: the service would take it for a search among the few that it is sent. They are the nearest of all who are
  // enrolled, and each of those was a chance of a false match: the limit of one comparison follows from their number.
  const max_far = -Math.expm1(Math.log1p(-settings.maxFpir) / Math.max(1, enrolled)) / chances;
  const { threshold, allowProvisional: allow_provisional } = settings;
  const request = {
    query_embedding: embedding,
    embedding_space: model.embedding_space,
    reference_embeddings: candidates.map(({ id, embedding }) => ({ id, embedding: JSON.parse(embedding) })),
    ...(threshold === undefined ? { max_far, allow_provisional } : { threshold }),
  };
  const { best_match: best, provisional } = await service.compare(request).catch((error) => {
    if (!(error instanceof FaceEmbeddingError) || error.code !== 'INVALID_REQUEST') throw error;
    const message = `The service cannot promise MAX_FPIR=${settings.maxFpir} among ${enrolled} people.`;
    throw new Refusal(503, 'RATE_NOT_MEASURED', message, { detail: error.detail });
  });
  const person = best?.is_match && candidates.find(({ id }) => id === best.id);
  if (!person) return undefined;
  const far = best.far && Math.min(1, (best.far.estimate ?? best.far.high) * chances);
  const fpir = far === undefined ? undefined : -Math.expm1(enrolled * Math.log1p(-far));
  return { person: { id: person.id, name: person.name }, fpir, provisional };
}

/** The nearest by the index, which may miss one, and measures in its own way: the service ranks and decides. */
function nearestTo(database: Database, embedding: Float32Array, space: string) {
  const vector = `vector(${embedding.length})`;
  return database.transaction(async (sql) => {
    // The index looks at more candidates than it returns, so that it rarely misses the nearest.
    await sql.query(`SELECT set_config('hnsw.ef_search', '100', true)`);
    // The expression and the condition are those of the index of the space. An embedding is written as JSON.
    return sql.query<{ id: string; name: string; embedding: string }>(
      `SELECT id, name, embedding::text FROM (
        SELECT person_id, embedding FROM templates WHERE space = $1
        ORDER BY embedding::${vector} <=> $2::${vector} LIMIT 20
      ) AS nearest JOIN people ON id = person_id`,
      [space, vectorText(embedding)],
    );
  });
}
