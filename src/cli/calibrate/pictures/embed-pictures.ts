import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toUnit } from '../statistics/scores.ts';
import { CalibrationError } from '../usage-error.ts';

/** So many pictures in a row without any answer: the service is gone. */
const MOST_UNANSWERED = 3;

/**
 * Embeds every picture once, several at a time; equal files count as one.
 *
 * @param names relative to the folder. @param onPicture called after each: {cached, failed}.
 * @returns a map from name to {sha256, embedding, detectionScore, quality}, with `quality` where the service gives it; or
 *   to {code, reason} for a picture that gave none.
 * @throws {CalibrationError} when the service is gone, or changes its model under way.
 */
export async function embedPictures({ names, folder, client, cache, info, concurrency, signal, onPicture }) {
  const context = { folder, client, cache, info, underway: new Map(), unanswered: 0 };
  let broken;
  const results = new Map();
  const waiting = names.values();
  const lane = async () => {
    for (const name of waiting) {
      if (broken) return;
      signal?.throwIfAborted();
      const { cached = false, ...result } = await embedPicture(name, context);
      results.set(name, result);
      onPicture({ cached, failed: result.code !== undefined });
    }
  };
  const guarded = () =>
    lane().catch((error) => {
      broken ??= error;
    });
  // All have ended before a failure is told, so that nothing is written behind the caller's back.
  await Promise.all(Array.from({ length: concurrency }, guarded));
  if (broken) throw broken;
  return results;
}

async function embedPicture(name, context) {
  const { folder, cache, info, underway } = context;
  let bytes;
  try {
    bytes = await readFile(join(folder, name));
  } catch (error) {
    return { code: 'FILE_UNREADABLE', reason: `The file cannot be read (${error.code}).` };
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const known = cache.get(sha256);
  if (known) return { sha256, cached: true, ...readFace(known) };
  // Sent all the same, it would be refused before it has been read: a broken connection on this side.
  if (bytes.length > info.limits.max_image_size)
    return { sha256, code: 'IMAGE_TOO_LARGE', reason: `The file has ${bytes.length} bytes.` };
  if (!underway.has(sha256)) underway.set(sha256, embedBytes(bytes, sha256, context));
  return { sha256, ...(await underway.get(sha256)) };
}

async function embedBytes(bytes, sha256, context) {
  const { client, cache, info } = context;
  const { face, code, reason } = await client.embed(bytes);
  context.unanswered = code === 'NO_ANSWER' ? context.unanswered + 1 : 0;
  if (context.unanswered >= MOST_UNANSWERED)
    throw new CalibrationError(`The service does not answer any more: ${reason}`);
  if (code !== undefined) return { code, reason };
  const { embedding_space: space } = face.model;
  if (space !== info.embedding_space)
    throw new CalibrationError(
      `The service changed its model under way, from ${info.embedding_space} to ${space}. Measure again when it is at rest.`,
    );
  const { embedding, detection_score, quality } = face;
  const kept = { embedding, detection_score, quality: quality?.score };
  cache.add(sha256, kept);
  return readFace(kept);
}

function readFace({ embedding, detection_score, quality }) {
  const bytes = Buffer.from(embedding, 'base64');
  const values = Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(i * 4));
  return { embedding: toUnit(values), detectionScore: detection_score, quality };
}
