/** Keeps weights small that the examples do not determine. */
const RIDGE = 5e-4;
const STEPS = 1500;
const RATE = 2;

export type Weights<Name extends string> = Record<Name | 'intercept', number>;

export interface Example<Name extends string> {
  terms: Readonly<Record<Name, number>>;
  matches: boolean;
}

/** Logistic regression with non-negative weights, by projected gradient descent on standardised terms. */
export function fitWeights<Name extends string>(
  examples: readonly Example<Name>[],
  names: readonly Name[],
): Weights<Name> {
  const scales = names.map((name) => meanAndDeviation(examples.map(({ terms }) => terms[name])));
  const rows = examples.map(({ terms }) =>
    names.map((name, j) => {
      const { mean, deviation } = scales[j] as Scale;
      return (terms[name] - mean) / deviation;
    }),
  );
  const weights = names.map(() => 0);
  let intercept = 0;
  for (let step = 0; step < STEPS; step++) {
    const gradient = names.map(() => 0);
    let slope = 0;
    for (const [i, row] of rows.entries()) {
      let sum = intercept;
      for (let j = 0; j < row.length; j++) sum += at(weights, j) * at(row, j);
      const residual = 1 / (1 + Math.exp(-sum)) - (examples[i]?.matches ? 1 : 0);
      slope += residual;
      for (let j = 0; j < row.length; j++) gradient[j] = at(gradient, j) + residual * at(row, j);
    }
    intercept -= (RATE * slope) / rows.length;
    for (let j = 0; j < weights.length; j++) {
      const penalised = at(gradient, j) / rows.length + RIDGE * at(weights, j);
      weights[j] = Math.max(0, at(weights, j) - RATE * penalised);
    }
  }
  const unscaled = scales.map(({ deviation }, j) => at(weights, j) / deviation);
  return {
    intercept: scales.reduce((sum, { mean }, j) => sum - at(unscaled, j) * mean, intercept),
    ...Object.fromEntries(names.map((name, j) => [name, unscaled[j]])),
  } as Weights<Name>;
}

interface Scale {
  mean: number;
  deviation: number;
}

function meanAndDeviation(values: readonly number[]): Scale {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) || 1 };
}

function at(values: readonly number[], index: number): number {
  return values[index] as number;
}
