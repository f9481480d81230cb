import { seededRandom } from '../../src/cli/calibrate/statistics/seeded-random.ts';

/** A source of numbers from 0 to 1. */
export type Random = () => number;

/** A source of random numbers that is the same in every run, and differs from text to text. */
export function randomOf(text: string): Random {
  let seed = 2166136261;
  for (const letter of text) seed = Math.imul(seed ^ letter.charCodeAt(0), 16777619);
  const random = seededRandom(seed);
  // The first numbers of a linear congruential generator correlate with its seed.
  for (let i = 0; i < 8; i++) random();
  return random;
}
