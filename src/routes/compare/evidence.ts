import type { LoadedModel } from '../../engine/engine.ts';
import { provisionalFor } from '../../packs/provisional/provisional.ts';
import { type FarEvidence, packPoints } from '../../similarity/far-evidence.ts';

/** The same object for the same model, so that what is computed from it is kept. */
const known = new WeakMap<LoadedModel, FarEvidence>();

/** What is known of the rates of a model: measured by its operator, else the provisional figures of its recogniser. */
export function evidenceOf(model: LoadedModel | undefined): FarEvidence | undefined {
  if (model === undefined) return undefined;
  const earlier = known.get(model);
  if (earlier) return earlier;
  const { pack, embeddingSize, curve, thresholds } = model;
  // Thresholds of an operator's own, even without a curve, take the place of provisional figures.
  const provisional = curve || thresholds.length > 0 ? undefined : provisionalFor(pack);
  const points = curve ?? provisional?.curve;
  const evidence = {
    embeddingSpace: pack.embeddingSpace,
    embeddingSize,
    points: points && packPoints(points),
    provisional: provisional !== undefined,
  };
  known.set(model, evidence);
  return evidence;
}
