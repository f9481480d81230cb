/*
 * The embedding spaces of protected embeddings: that of the pack, with all its additions, and the name of the key as the last
 * part. buffalo_l:4c06341c33c2:k-door.
 */

const KEY_PART = /^(.+):k-([a-z0-9-]{1,32})$/;

/** Names the space of what a key protects. */
export const protectedSpace = (plainSpace: string, keyName: string): string => `${plainSpace}:k-${keyName}`;

/** @returns the space without a key, and the name of the key; undefined for a plain space. */
export function splitSpace(space: string): { plainSpace: string; keyName: string | undefined } {
  const [, plainSpace = space, keyName] = space.match(KEY_PART) ?? [];
  return { plainSpace, keyName };
}
