import { randomFillSync } from 'node:crypto';

/** Bytes that are asked for at a time: each call of the generator takes as long as 100 bytes of it. */
const POOL_BYTES = 4096;

const pool = Buffer.alloc(POOL_BYTES);
let used = POOL_BYTES;

/** @returns the hex digits of that many random bytes, at most POOL_BYTES. None is used twice. */
export function randomHex(bytes: number): string {
  if (used + bytes > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  return pool.toString('hex', used - bytes, used);
}
