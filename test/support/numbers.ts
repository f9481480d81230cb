/** A small seeded generator of numbers in 0..1 (mulberry32), so that no test depends on chance. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function cosine(p: ArrayLike<number>, q: ArrayLike<number>): number {
  let dot = 0;
  let pp = 0;
  let qq = 0;
  for (let i = 0; i < p.length; i++) {
    dot += (p[i] as number) * (q[i] as number);
    pp += (p[i] as number) ** 2;
    qq += (q[i] as number) ** 2;
  }
  return dot / Math.sqrt(pp * qq);
}

/** The value below which this share (0..1) of the sorted values lies. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number;
}
