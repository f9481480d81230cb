// How many trials a rate needs. Source of both rules: ISO/IEC 19795-1, Biometric performance testing and reporting, on
// the size of a test: the Rule of 3 (Louis; Jovanovic and Levy) and the Rule of 30 (Doddington).

/** With no error in n independent trials, the rate is below 3/n with 95 % confidence. */
const RULE_OF_3 = 3;

/** With 30 errors, the rate is within 30 % of what was measured with 90 % confidence. */
const RULE_OF_30 = 30;

/**
 * What so many impostor pairs can say of a false accept rate.
 *
 * @returns {rule, expected, needed, firm}: `rule_of_30` for a firm figure, `rule_of_3` for a rough one, or undefined
 *   where even a measurement without any false accept could not show the rate; expected false accepts; the impostor
 *   pairs needed for a rough and for a firm figure.
 */
export function evidenceFor(far, impostorPairs) {
  const needed = pairsFor(RULE_OF_3, far);
  const firm = pairsFor(RULE_OF_30, far);
  const rule = impostorPairs >= firm ? 'rule_of_30' : impostorPairs >= needed ? 'rule_of_3' : undefined;
  return { rule, expected: far * impostorPairs, needed, firm };
}

/** The lowest false accept rate that so many impostor pairs can show at all. */
export function lowestRate(impostorPairs) {
  return Math.min(1, RULE_OF_3 / impostorPairs);
}

// 3 / 0.0001 is a hair above 30,000 in floating point.
const pairsFor = (errors, rate) => Math.ceil(errors / rate - 1e-6);
