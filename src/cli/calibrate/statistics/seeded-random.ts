/**
 * A generator of numbers from 0 (included) to 1 (excluded) that repeats itself for the same seed: a linear congruential
 * generator with the constants of Numerical Recipes.
 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
