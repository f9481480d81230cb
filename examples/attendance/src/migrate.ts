import type { FaceEmbeddingClient } from 'face-embedding-client';
import { record } from './audit.ts';
import type { Backend } from './backend.ts';
import { storeTemplate, templateOf } from './templates.ts';

/**
 * Embeds the stored faces of all who have no embedding of the model in use. May be interrupted, and repeated. When nobody is left
 * and the previous model is no longer configured, its embeddings are deleted.
 *
 * @returns `failed`: the ids of people who have to be enrolled anew.
 */
export async function migrate({ database, services }: Backend) {
  const [service] = services as [FaceEmbeddingClient];
  const { embedding_space: space } = await service.modelInfo();
  const people = await database.query<{ id: string }>(
    'SELECT id FROM people WHERE NOT EXISTS (SELECT 1 FROM templates WHERE person_id = id AND space = $1)',
    [space],
  );
  const failed: string[] = [];
  for (const { id } of people) {
    const faces = 'SELECT image FROM faces WHERE person_id = $1 ORDER BY id';
    const images = (await database.query<{ image: Uint8Array }>(faces, [id])).map(({ image }) => image);
    const template = images.length > 0 && (await templateOf(database, await embedStored(service, images)));
    if (template) await storeTemplate(database, id, template);
    else failed.push(id);
  }
  const done = { space, migrated: people.length - failed.length, failed };
  await record(database, 'admin', 'migrated', undefined, { ...done, failed: failed.length });
  if (services.length === 1 && failed.length === 0)
    await database.query('DELETE FROM templates WHERE space <> $1', [space]);
  return done;
}

async function embedStored(service: FaceEmbeddingClient, images: Uint8Array[]) {
  const answer = await service.embedBatch(images, { aligned: true, fuse: true });
  const isOtherSize = answer.results.every(
    (result) => 'error' in result && result.error_code === 'INVALID_IMAGE',
  );
  // A model that takes faces of another size frames them in another way: it has to find the face in what there is. README.md says
  // how well that works.
  return isOtherSize ? service.embedBatch(images, { faces: 'largest', fuse: true }) : answer;
}
