import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** Large enough for few turns of the event loop, small enough that hashing one is well under a millisecond. */
const CHUNK_BYTES = 256 * 1024;

/**
 * Reads a file in chunks, so that the event loop keeps turning whatever its size.
 *
 * @returns the file's size in bytes and its lower-case hex SHA-256.
 * @throws the file system's error, or the signal's reason.
 */
export async function hashFile(
  path: string,
  signal?: AbortSignal,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
    signal?.throwIfAborted();
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}
