import { createHash, createSecretKey } from 'node:crypto';
import type { EmbeddingKey } from '../../src/protection/embedding-key.ts';

/** Keys that are the same in every run. */
export function keyOf(index: number): EmbeddingKey {
  const secret = createHash('sha256').update(`study ${index}`).digest('hex');
  return { name: `study-${index}`, secret: createSecretKey(secret, 'utf8') };
}
