import { createSecretKey } from 'node:crypto';
import type { EmbeddingKey } from '../../src/protection/embedding-key.ts';

/** The secret of the known answers in docs/PROTECTION.md. */
export const SECRET = 'not-a-secret-0123456789abcdefghij';
export const OTHER_SECRET = 'another-secret-0123456789-abcdefg';

export const key = (name: string, secret = SECRET): EmbeddingKey => ({
  name,
  secret: createSecretKey(secret, 'utf8'),
});
