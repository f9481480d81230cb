import type { MisspeltVariable } from '../../config/misspelt.ts';
import type { Config } from '../../config/settings.ts';
import { StartupError } from '../../errors.ts';
import type { ApiKeys } from './api-keys.ts';

const SETTINGS_OF_KEYS = new Set<string>(['API_KEYS', 'API_KEYS_FILE', 'REQUIRE_API_KEYS']);

/**
 * Checks that the service is not open to everyone by mistake.
 *
 * @throws {StartupError} when there are no keys although they are required, or a misspelt variable shows that they were meant.
 */
export function assertProtected(
  { REQUIRE_API_KEYS }: Pick<Config, 'REQUIRE_API_KEYS'>,
  keys: ApiKeys,
  misspelt: readonly MisspeltVariable[],
): void {
  if (keys.required || REQUIRE_API_KEYS === false) return;
  if (REQUIRE_API_KEYS) {
    throw new StartupError('REQUIRE_API_KEYS is true; it needs API_KEYS or API_KEYS_FILE.');
  }
  const meant = misspelt.find(({ setting, typing }) => typing && SETTINGS_OF_KEYS.has(setting));
  if (meant === undefined) return;
  throw new StartupError(
    `${meant.variable} is no setting, and no API keys are configured: every caller would be served. ` +
      `${meant.setting} may be meant. To start without keys, set REQUIRE_API_KEYS=false.`,
  );
}
