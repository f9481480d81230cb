import { ProtectingTransform } from '../../src/protection/transform.ts';
import { similarity } from '../quality/comparisons.ts';
import type { Photos } from './embed-photos.ts';
import { cosine } from './judge.ts';
import { keyOf } from './keys.ts';

/** Largest changes by protection: of a distance between two photographs, and of an embedding that is revealed again. */
export function measureOffset({ couples, others }: Photos) {
  const plain = [...couples.flatMap(({ a, b }) => [a, b]), ...others];
  const transform = new ProtectingTransform(keyOf(0), plain[0]?.length ?? 0);
  const protectedOnes = plain.map((embedding) => transform.protect(embedding));
  let distance = 0;
  let pairs = 0;
  for (let i = 0; i < plain.length; i++) {
    for (let j = 0; j < i; j++) {
      const before = similarity(plain[i] as Float32Array, plain[j] as Float32Array);
      const after = similarity(protectedOnes[i] as Float32Array, protectedOnes[j] as Float32Array);
      distance = Math.max(distance, Math.abs(after - before));
      pairs++;
    }
  }
  const revealed = plain.map(
    (embedding, i) => 1 - cosine(embedding, transform.reveal(protectedOnes[i] ?? [])),
  );
  return { pairs, distance, revealed: Math.max(...revealed) };
}
