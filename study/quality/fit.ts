/** Keeps weights small where the examples leave them open. */
const RIDGE = 5e-4;
const STEPS = 1500;
const RATE = 2;

/**
 * Logistic regression without weights below zero, by projected gradient descent on standardised terms.
 *
 * @param examples [{terms: {name: number}, matches}]. @param names the terms that may have a weight.
 * @returns {intercept, [name]: weight}.
 */
export function fitWeights(examples, names) {
  const scales = names.map((name) => standardOf(examples.map(({ terms }) => terms[name])));
  const rows = examples.map(({ terms }) =>
    names.map((name, j) => (terms[name] - scales[j].mean) / scales[j].deviation),
  );
  const weights = names.map(() => 0);
  let intercept = 0;
  for (let step = 0; step < STEPS; step++) {
    const gradient = names.map(() => 0);
    let slope = 0;
    for (const [i, row] of rows.entries()) {
      const sum = row.reduce((total, value, j) => total + weights[j] * value, intercept);
      const excess = 1 / (1 + Math.exp(-sum)) - (examples[i].matches ? 1 : 0);
      slope += excess;
      for (let j = 0; j < row.length; j++) gradient[j] += excess * row[j];
    }
    intercept -= (RATE * slope) / rows.length;
    for (let j = 0; j < weights.length; j++) {
      weights[j] = Math.max(0, weights[j] - RATE * (gradient[j] / rows.length + RIDGE * weights[j]));
    }
  }
  const unscaled = weights.map((weight, j) => weight / scales[j].deviation);
  return {
    intercept: unscaled.reduce((sum, weight, j) => sum - weight * scales[j].mean, intercept),
    ...Object.fromEntries(names.map((name, j) => [name, unscaled[j]])),
  };
}

function standardOf(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) || 1 };
}
