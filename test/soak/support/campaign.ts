import { appendFileSync } from 'node:fs';

/** How much the campaign does. The defaults are for a trial; docs/RELIABILITY.md says how much the figures there took. */
export const CAMPAIGN = {
  /** Of everything that is random: the same seed sends the same requests. */
  seed: numberOf('SOAK_SEED', 15),
  pictures: numberOf('SOAK_PICTURES', 2_000),
  /** Damaged JPEGs that are decoded without a service. */
  jpegs: numberOf('SOAK_JPEGS', 20_000),
  bodies: numberOf('SOAK_BODIES', 1_000),
  /** Examples for each operation of the contract. */
  examples: numberOf('SOAK_EXAMPLES', 50),
  /** Golden photographs on each emulated processor. */
  photographs: numberOf('SOAK_PHOTOGRAPHS', 8),
  /** The number of the first request, to repeat a single one. */
  first: numberOf('SOAK_FIRST', 0),
  minutes: numberOf('SOAK_MINUTES', 60),
  /** Changed pictures and changed bodies end after as long, each, however many have been sent. */
  fuzzMinutes: numberOf('SOAK_FUZZ_MINUTES', 240),
};

function numberOf(name: string, fallback: number): number {
  const text = process.env[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (!(value >= 0)) throw new Error(`${name} is "${text}", expected a number.`);
  return value;
}

/** Prints figures, and appends them to the file that SOAK_REPORT names: one JSON object for each line. */
export function report(title: string, figures: Record<string, unknown>): void {
  const text = Object.entries(figures).map(([name, value]) => `\n  ${name}: ${JSON.stringify(value)}`);
  console.log(`${title}${text.join('')}`);
  const { SOAK_REPORT } = process.env;
  if (SOAK_REPORT) appendFileSync(SOAK_REPORT, `${JSON.stringify({ title, ...figures })}\n`);
}

/** Tells what a test skips and why, in the one place where somebody reads it. */
export function reportSkipped(title: string, reason: string): void {
  report(title, { skipped: reason });
}
