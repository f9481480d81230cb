import type { SettingDescription } from '../../src/config/setting.ts';
import { SETTINGS } from '../../src/config/settings.ts';

const HEAD = `# Configuration of the service. Copy this file to .env and change what you need. Variables of the process win over the file.
# Generated from src/config/settings.ts by "npm run generate".
`;

/** `.env.example`: every setting with its description, commented out at its default. */
export function renderEnvExample(): string {
  const blocks = Object.entries(SETTINGS).map(([name, setting]: [string, SettingDescription]) => {
    const { defaultLabel } = setting;
    return [
      `# ${setting.description.replaceAll('`', '')}`,
      `# Accepted: ${setting.accepts}.${defaultLabel ? ` Default: ${defaultLabel}.` : ''}`,
      `#${name}=${defaultLabel ? '' : setting.default}`,
      '',
    ].join('\n');
  });
  return [HEAD, ...blocks].join('\n');
}
