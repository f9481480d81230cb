import type { PersonScore } from './bootstrap.ts';
import { DyadCounts } from './dyads.ts';
import { differ, type Interval, type Trials, wilsonInterval } from './intervals.ts';
import { probit } from './probit.ts';

/** A pair with its group, if the table names one. */
export interface GroupedScore extends PersonScore {
  group?: string | undefined;
}

/** An error rate of a group at one threshold. */
export interface GroupRate {
  errors: number;
  of: number;
  rate: number;
  /** 95 %, with as many trials as independent pairs would be as uncertain. */
  interval: Interval;
  /** Whether it differs from the rate of all other groups together, with 95 % confidence for all groups together. */
  differs: boolean;
}

/** A group has no rate of a class of which it has no pairs. */
export interface GroupFigures {
  group: string;
  fmr: GroupRate | undefined;
  fnmr: GroupRate | undefined;
}

/**
 * False match rate and false non-match rate of each group at a threshold.
 *
 * @param people how many there are.
 * @param threshold the maximum cosine distance of a match.
 * @returns in the order of their names; empty unless pairs name at least one group.
 */
export function ratesOfGroups(
  pairs: readonly GroupedScore[],
  people: number,
  threshold: number,
): GroupFigures[] {
  const groups = [...new Set(pairs.flatMap(({ group }) => group ?? []))].sort();
  const impostors = ratesOfClass(
    pairs.filter(({ same }) => !same),
    people,
    groups,
    ({ distance }) => distance <= threshold,
  );
  const genuine = ratesOfClass(
    pairs.filter(({ same }) => same),
    people,
    groups,
    ({ distance }) => distance > threshold,
  );
  return groups.map((group) => ({ group, fmr: impostors.get(group), fnmr: genuine.get(group) }));
}

function ratesOfClass(
  pairs: readonly GroupedScore[],
  people: number,
  groups: readonly string[],
  isError: (pair: GroupedScore) => boolean,
): Map<string, GroupRate | undefined> {
  // Bonferroni: each group is another chance of a difference that is none.
  const z = -probit(0.025 / Math.max(1, groups.length));
  const rateOf = (group: string): GroupRate | undefined => {
    const own = countErrors(
      pairs.filter((pair) => pair.group === group),
      people,
      isError,
    );
    const others = countErrors(
      pairs.filter((pair) => pair.group !== undefined && pair.group !== group),
      people,
      isError,
    );
    if (own === undefined) return undefined;
    const { errors, of, effective } = own;
    return {
      errors,
      of,
      rate: errors / of,
      interval: wilsonInterval(effective.successes, effective.trials),
      differs: others !== undefined && differ(effective, others.effective, z),
    };
  };
  return new Map(groups.map((group) => [group, rateOf(group)]));
}

/** Undefined without pairs. */
function countErrors(
  pairs: readonly GroupedScore[],
  people: number,
  isError: (pair: GroupedScore) => boolean,
): { errors: number; of: number; effective: Trials } | undefined {
  if (pairs.length === 0) return undefined;
  const counts = new DyadCounts(pairs, people);
  for (const pair of pairs) if (isError(pair)) counts.addError(pair);
  const { errors, rate, effectiveTrials: trials } = counts;
  return { errors, of: pairs.length, effective: { successes: rate * trials, trials } };
}
