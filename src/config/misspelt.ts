import type { Environment } from './load.ts';
import { SETTINGS, type SettingName } from './settings.ts';

/** A variable that no setting has the name of, and the setting that may be meant. */
export interface MisspeltVariable {
  variable: string;
  setting: SettingName;
  /** Whether the name differs from the setting's by a mistake in typing; else it contains the setting's name. */
  typing: boolean;
}

/** Differences in a name that may be mistakes in typing; of short names, other words are as near (HOST, HOME). */
const MAX_MISTAKES = 2;
const MAX_MISTAKES_SHORT = 1;
const SHORT_NAME = 5;

/** Variables of other programs whose names contain those of settings. */
const OTHER_PROGRAMS = /^(OTEL|NODE|NPM|KUBERNETES|DOCKER|COMPOSE|GITHUB|CI)_/;
/** Kubernetes describes services to each container: REDIS_PORT=tcp://… */
const SERVICE_LINK = /^(tcp|udp|sctp):\/\//;

const NAMES = Object.keys(SETTINGS) as SettingName[];

/** @returns the variables that are set, are no setting, and have a name that is close to one. Only those in capitals, or of the same letters. */
export function findMisspelt(environment: Environment): MisspeltVariable[] {
  return Object.entries(environment).flatMap(([variable, value = '']) => {
    if (variable in SETTINGS || value.trim() === '') return [];
    if (OTHER_PROGRAMS.test(variable) || SERVICE_LINK.test(value)) return [];
    const found = byTyping(variable) ?? byContent(variable);
    return found === undefined ? [] : [found];
  });
}

function byTyping(variable: string): MisspeltVariable | undefined {
  const sameLetters = variable.toUpperCase().replace(/[-.]/g, '_');
  // A single word in small letters, such as "host", belongs to anyone.
  if (sameLetters !== variable) {
    const setting = NAMES.find((name) => name === sameLetters && name.includes('_'));
    return setting && { variable, setting, typing: true };
  }
  const withoutUnit = NAMES.find((name) => name === `${variable}_MS`);
  if (withoutUnit) return { variable, setting: withoutUnit, typing: true };
  const [nearest] = NAMES.map((setting) => ({ setting, mistakes: mistakesBetween(variable, setting) }))
    .filter(({ setting, mistakes }) => mistakes <= allowedMistakes(setting))
    .sort((a, b) => a.mistakes - b.mistakes);
  return nearest && { variable, setting: nearest.setting, typing: true };
}

function allowedMistakes(setting: SettingName): number {
  return setting.length <= SHORT_NAME ? MAX_MISTAKES_SHORT : MAX_MISTAKES;
}

/** A setting's name of several words at the beginning or the end: FACE_MAX_QUEUE, MAX_QUEUE_SIZE. */
function byContent(variable: string): MisspeltVariable | undefined {
  const [longest] = NAMES.filter(
    (name) => name.includes('_') && (variable.startsWith(`${name}_`) || variable.endsWith(`_${name}`)),
  ).sort((a, b) => b.length - a.length);
  return longest && { variable, setting: longest, typing: false };
}

/**
 * Letters that are missing, added, replaced or swapped with their neighbour.
 * Source: optimal string alignment distance, https://en.wikipedia.org/wiki/Damerau–Levenshtein_distance.
 */
function mistakesBetween(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > MAX_MISTAKES) return Number.POSITIVE_INFINITY;
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    const above = rows[i - 1] as number[];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let mistakes = Math.min(
        (above[j] as number) + 1,
        (row[j - 1] as number) + 1,
        (above[j - 1] as number) + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        mistakes = Math.min(mistakes, ((rows[i - 2] as number[])[j - 2] as number) + 1);
      }
      row.push(mistakes);
    }
    rows.push(row);
  }
  return rows[a.length]?.[b.length] as number;
}
