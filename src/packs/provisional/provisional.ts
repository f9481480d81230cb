import type { ModelPack } from '../pack.ts';
import type { CurvePoint, MeasuredThreshold } from '../thresholds.ts';
import type { CurveRow, ProvisionalFigures } from './figures.ts';
import { RETAIL_0095 } from './retail-0095.ts';
import { W600K_MBF } from './w600k-mbf.ts';

/** Recognisers that were measured. One that is not here has no figures: those of another network say nothing about it. */
const MEASURED: readonly ProvisionalFigures[] = [W600K_MBF, RETAIL_0095];

export interface ProvisionalThresholds {
  thresholds: MeasuredThreshold[];
  curve: CurvePoint[];
}

/** The figures of the recogniser of a pack; undefined if it was not measured, or recognises nobody. */
export function provisionalFor({
  origin,
  recogniser: { sha256 },
}: Pick<ModelPack, 'origin' | 'recogniser'>): ProvisionalThresholds | undefined {
  const figures = MEASURED.find(({ recognisers }) => recognisers.includes(sha256));
  if (origin === 'synthetic' || figures === undefined) return undefined;
  const { thresholds, curve, recognisers: _, ...evidence } = figures;
  return {
    thresholds: thresholds.map((entry) => ({ ...entry, ...evidence })),
    curve: curve.map(pointOf),
  };
}

function pointOf(row: CurveRow): CurvePoint {
  if (row.length === 2) return { score: row[0], high: row[1] };
  return { score: row[0], far: row[1], low: row[2], high: row[3] };
}
