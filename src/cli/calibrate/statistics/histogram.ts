import type { Scores } from './scores.ts';

const MIN_BINS = 20;
const MAX_BINS = 80;

export interface Histogram {
  /** Of a bin; the first one begins at 0. */
  width: number;
  /** Share of the class in each bin. */
  genuine: number[];
  impostor: number[];
}

/** The distribution of the distances of both classes. Fewer pairs get wider bins, so that the shape is not noise. */
export function histogramOf({ genuine, impostor }: Scores): Histogram {
  const largest = Math.max(genuine.at(-1) ?? 0, impostor.at(-1) ?? 0);
  const wanted = 2 * Math.sqrt(Math.min(genuine.length, impostor.length));
  const bins = Math.round(Math.min(MAX_BINS, Math.max(MIN_BINS, wanted)));
  // The largest value belongs to the last bin.
  const width = (largest > 0 ? largest * (1 + 1e-9) : 1) / bins;
  const sharesOf = (distances: Float64Array) => {
    const counts = new Array<number>(bins).fill(0);
    for (const distance of distances) {
      const bin = Math.floor(distance / width);
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
    return counts.map((count) => count / distances.length);
  };
  return { width, genuine: sharesOf(genuine), impostor: sharesOf(impostor) };
}
