/**
 * Whether the weights may be used in a product, from the most to the least permissive:
 *
 * - `allowed`: their licence allows it, and so do the terms of the training data, as far as the publisher states them.
 * - `disputed`: their licence allows it; the training data has terms that exclude it, or is not disclosed.
 * - `unknown`: the pack does not say.
 * - `excluded`: their licence excludes it.
 *
 * It sums up what publishers state. It is no legal advice: the training data of any face model can have terms of its own.
 */
export const COMMERCIAL_USES = ['allowed', 'disputed', 'unknown', 'excluded'] as const;

export type CommercialUse = (typeof COMMERCIAL_USES)[number];

/** Where weights come from and what they may be used for. The texts are sentences for operators. */
export interface Provenance {
  /** The licence of the weights, with its SPDX identifier if it has one. */
  licence: string;
  /** What is known of the data that the weights were trained with, and of its terms. */
  trainingData: string;
  commercialUse: CommercialUse;
}

/** What is said of the training data of a pack that says nothing. */
export const UNKNOWN_TRAINING_DATA = 'Unknown: the pack does not say.';

/** What holds for a pack of both networks: both texts, and the less permissive of the two uses. */
export function combinedProvenance(detector: Provenance, recogniser: Provenance): Provenance {
  const both = (member: 'licence' | 'trainingData') =>
    detector[member] === recogniser[member]
      ? detector[member]
      : `Detector: ${detector[member]} Recogniser: ${recogniser[member]}`;
  const rank = ({ commercialUse }: Provenance) => COMMERCIAL_USES.indexOf(commercialUse);
  return {
    licence: both('licence'),
    trainingData: both('trainingData'),
    commercialUse: (rank(detector) > rank(recogniser) ? detector : recogniser).commercialUse,
  };
}
