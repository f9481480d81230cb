import type { PersonScore } from './bootstrap.ts';

type People = Pick<PersonScore, 'personA' | 'personB'>;

/**
 * Counts the errors among pairs, and how many independent pairs would be as uncertain. Pairs that share a person are not
 * independent: one person who resembles many is in many of them. The variance of the rate is that of a sum over pairs of people
 * ("dyads"), in which dyads that share a person are correlated.
 *
 * Source: P. M. Aronow, C. Samii, V. A. Assenova, "Cluster-Robust Variance Estimation for Dyadic Data", Political Analysis 23
 * (2015). Effective numbers of trials: E. L. Korn, B. I. Graubard, "Confidence Intervals for Proportions with Small Expected
 * Number of Positive Counts Estimated from Survey Data", Survey Methodology 24 (1998).
 */
export class DyadCounts {
  readonly #people: number;
  readonly #trials: number;
  readonly #dyads = new Map<number, number>();
  /** Trials and errors of each person and of each dyad. */
  readonly #ofPerson: Tally;
  readonly #ofDyad: Tally;
  #errors = 0;

  /**
   * @param pairs all trials, of one class.
   * @param people how many there are; their numbers begin at 0.
   */
  constructor(pairs: readonly People[], people: number) {
    this.#people = people;
    this.#trials = pairs.length;
    for (const pair of pairs) {
      // A dyad of a person with himself shares that one person with others, and is not counted twice.
      if (pair.personA === pair.personB) continue;
      const key = this.#keyOf(pair);
      if (!this.#dyads.has(key)) this.#dyads.set(key, this.#dyads.size);
    }
    this.#ofPerson = new Tally(people);
    this.#ofDyad = new Tally(this.#dyads.size);
    for (const pair of pairs) {
      for (const person of personsOf(pair)) this.#ofPerson.addTrial(person);
      const dyad = this.#dyadOf(pair);
      if (dyad !== undefined) this.#ofDyad.addTrial(dyad);
    }
  }

  /** Marks a pair as an error. */
  addError(pair: People): void {
    this.#errors++;
    for (const person of personsOf(pair)) this.#ofPerson.addError(person);
    const dyad = this.#dyadOf(pair);
    if (dyad !== undefined) this.#ofDyad.addError(dyad);
  }

  get errors(): number {
    return this.#errors;
  }

  get rate(): number {
    return this.#errors / this.#trials;
  }

  /** The number of independent trials with the same uncertainty, at most the number of pairs. */
  get effectiveTrials(): number {
    const { rate } = this;
    const independent = rate * (1 - rate);
    if (independent === 0) return this.#trials;
    const spread = this.#ofPerson.sumOfSquares(rate) - this.#ofDyad.sumOfSquares(rate);
    // Deviations are from the rate of the same people, which are on average too near to it.
    const variance = (spread * this.#people) / Math.max(1, this.#people - 1) / this.#trials ** 2;
    return Math.min(this.#trials, variance > 0 ? independent / variance : this.#trials);
  }

  #keyOf({ personA, personB }: People): number {
    return Math.min(personA, personB) * this.#people + Math.max(personA, personB);
  }

  #dyadOf(pair: People): number | undefined {
    return this.#dyads.get(this.#keyOf(pair));
  }
}

const personsOf = ({ personA, personB }: People) => (personA === personB ? [personA] : [personA, personB]);

/** Trials and errors of groups, with the sums from which Σ (errors − rate · trials)² follows for any rate. */
class Tally {
  readonly #trials: Float64Array;
  readonly #errors: Float64Array;
  #trialsSquared = 0;
  #errorsSquared = 0;
  #product = 0;

  constructor(groups: number) {
    this.#trials = new Float64Array(groups);
    this.#errors = new Float64Array(groups);
  }

  addTrial(group: number): void {
    const trials = this.#trials[group] as number;
    this.#trialsSquared += 2 * trials + 1;
    this.#trials[group] = trials + 1;
  }

  /** After all trials. */
  addError(group: number): void {
    const errors = this.#errors[group] as number;
    this.#errorsSquared += 2 * errors + 1;
    this.#product += this.#trials[group] as number;
    this.#errors[group] = errors + 1;
  }

  sumOfSquares(rate: number): number {
    return this.#errorsSquared - 2 * rate * this.#product + rate * rate * this.#trialsSquared;
  }
}
