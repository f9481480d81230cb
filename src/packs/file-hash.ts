import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { ModelFile } from './pack.ts';

/** Large enough to keep reads few, small enough that hashing one takes well under a millisecond. */
const CHUNK_BYTES = 256 * 1024;

/**
 * Hashes a file in chunks, so that the event loop is not blocked.
 *
 * @returns the file's size in bytes and its lower-case hex SHA-256.
 * @throws the file system's error, or the signal's reason.
 */
export async function hashFile(
  path: string,
  signal?: AbortSignal,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  // One buffer for all chunks: a stream would allocate as many bytes as the file has.
  const chunk = new Uint8Array(CHUNK_BYTES);
  let bytes = 0;
  const file = await open(path);
  try {
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await file.read(chunk);
      if (bytesRead === 0) return { bytes, sha256: hash.digest('hex') };
      hash.update(chunk.subarray(0, bytesRead));
      bytes += bytesRead;
    }
  } finally {
    await file.close();
  }
}

/**
 * Reads a network.
 *
 * @returns the bytes that were hashed, so a file that is replaced after its verification is not used.
 * @throws {Error} when it is not the file that was verified.
 */
export async function readVerified({
  path,
  sha256,
}: Pick<ModelFile, 'path' | 'sha256'>): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readFile(path);
  if (createHash('sha256').update(bytes).digest('hex') === sha256) return bytes;
  throw new Error(`${basename(path)} changed since it was verified.`);
}
