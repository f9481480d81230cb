import type { MeasuredThreshold } from '../../../packs/thresholds.ts';

// The number of trials that a rate needs. Source of both rules: ISO/IEC 19795-1, Biometric performance testing and
// reporting, on the size of a test: the Rule of 3 (Louis; Jovanovic and Levy) and the Rule of 30 (Doddington).

/** With no error in n independent trials, the rate is below 3/n with 95 % confidence. */
const RULE_OF_3 = 3;

/** With 30 errors, the true rate is within 30 % of the measured one with 90 % confidence. */
const RULE_OF_30 = 30;

export interface Evidence {
  /** `rule_of_30`: firm. `rule_of_3`: rough. Undefined: even a measurement without a false accept cannot show the rate. */
  rule: MeasuredThreshold['evidence'] | undefined;
  /** False accepts expected at this rate. */
  expected: number;
  /** Impostor pairs needed for a rough figure. */
  needed: number;
  /** Impostor pairs needed for a firm figure. */
  firm: number;
}

/** What a number of impostor pairs can show about a false accept rate. */
export function evidenceFor(far: number, impostorPairs: number): Evidence {
  const needed = pairsFor(RULE_OF_3, far);
  const firm = pairsFor(RULE_OF_30, far);
  const rule = impostorPairs >= firm ? 'rule_of_30' : impostorPairs >= needed ? 'rule_of_3' : undefined;
  return { rule, expected: far * impostorPairs, needed, firm };
}

/** The lowest false accept rate that a number of impostor pairs can show. */
export function lowestRate(impostorPairs: number): number {
  return Math.min(1, RULE_OF_3 / impostorPairs);
}

/** 3 / 0.0001 is slightly above 30,000 in floating point. */
const pairsFor = (errors: number, rate: number) => Math.ceil(errors / rate - 1e-6);
