import type { MeasuredThreshold } from '../thresholds.ts';

/** A row of a curve: score and high, or score, far, low and high, as in a thresholds.json. */
export type CurveRow =
  | readonly [score: number, high: number]
  | readonly [score: number, far: number, low: number, high: number];

/**
 * Figures of a recogniser that were measured on public photographs, by `npm run study:far -- --write-provisional`. They show the
 * order of magnitude, until an operator has measured those of his own photographs.
 */
export interface ProvisionalFigures {
  /** SHA-256 of the file that was measured, and of others whose weights are nearly the same; `source` says which was. */
  recognisers: readonly string[];
  /** The photographs and the pack that were measured, in a sentence. */
  source: string;
  created: string;
  genuine_pairs: number;
  impostor_pairs: number;
  people: number;
  thresholds: readonly Omit<
    MeasuredThreshold,
    'source' | 'created' | 'genuine_pairs' | 'impostor_pairs' | 'people'
  >[];
  curve: readonly CurveRow[];
}
