import { defaultOf } from './load.ts';
import type { Setting } from './setting.ts';
import { type Config, SETTINGS, type SettingName } from './settings.ts';

/** The settings that differ from their defaults, for the log. Of a secret, only how many it holds. */
export function changedSettings(config: Config): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(SETTINGS).flatMap(([name, entry]: [string, Setting<unknown>]) => {
      const value = config[name as SettingName];
      if (JSON.stringify(value) === JSON.stringify(defaultOf(entry))) return [];
      return [[name, entry.secret ? countOf(String(value)) : withoutPassword(value)]];
    }),
  );
}

/** Secrets are separated by commas or line breaks. */
function countOf(secrets: string): number {
  return secrets.split(/[,\n]/).filter((secret) => secret.trim() !== '').length;
}

/** A URL may hold a password, or a signature in its query. */
function withoutPassword(value: unknown): unknown {
  if (typeof value !== 'string' || !/^https?:/.test(value)) return value;
  return value.replace(/\/\/[^/?#]*@/, '//…@').replace(/\?.*/s, '?…');
}
