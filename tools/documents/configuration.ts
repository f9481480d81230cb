import type { SettingDescription } from '../../src/config/setting.ts';
import { SETTINGS } from '../../src/config/settings.ts';
import { table } from '../markdown.ts';

const MIB = 1024 * 1024;

const settings: [string, SettingDescription][] = Object.entries(SETTINGS);

/** `docs/CONFIGURATION.md`. */
export function renderConfiguration(): string {
  const secrets = settings.filter(([, { secret }]) => secret).map(([name]) => `\`${name}\``);
  return `# Configuration

<!-- Generated from src/config/settings.ts by "npm run generate". -->

The service reads its settings once, at start, from environment variables.

- **File**: a \`.env\` file in the working directory may hold them, too; [.env.example](../.env.example) lists every setting.
  Variables of the process win over the file.
- **Empty**: an empty variable counts as unset, so the default applies.
- **Invalid values**: the service prints the name of every variable with an invalid value and what it accepts, and exits
  with code 1.
- **Units**: names that end in \`_MS\` are milliseconds. \`MAX_IMAGE_SIZE\`, \`MAX_REQUEST_SIZE\` and \`MAX_INFLIGHT_BYTES\` are
  bytes. Numbers are written without a unit and without separators.
- **Booleans**: \`true\` or \`1\`, \`false\` or \`0\`.
- **Secrets**: the values of ${secrets.slice(0, -1).join(', ')} and ${secrets.at(-1)} never appear in the log or in an error message. \`API_KEYS_FILE\`
  and \`EMBEDDING_KEY_FILE\` read keys from mounted files instead.
- **Combinations**: \`MAX_REQUEST_SIZE\` is at least \`MAX_IMAGE_SIZE\`, and \`MAX_BATCH_SIZE\` at most the number of images that
  can be processed and queued at one time. \`CORS_ENABLED\` requires \`CORS_ORIGINS\`.

## Settings

${table(['variable', 'default', 'meaning', 'accepted values'], settings.map(settingRow))}

## Other variables

- \`HTTPS_PROXY\`, \`HTTP_PROXY\` and \`NO_PROXY\` apply to the download of model packs.
- \`OTEL_EXPORTER_OTLP_ENDPOINT\` turns on the export of traces. The other variables of the OpenTelemetry SDK, such as
  \`OTEL_SERVICE_NAME\` and \`OTEL_TRACES_SAMPLER\`, apply, too.
`;
}

function settingRow([name, setting]: [string, SettingDescription]): string[] {
  // Outside of code, Markdown takes <hex> for an HTML tag.
  const accepts = setting.accepts.replaceAll('<', '\\<');
  return [`\`${name}\``, defaultText(setting), setting.description, accepts];
}

function defaultText({ default: value, defaultLabel }: SettingDescription): string {
  if (defaultLabel !== undefined) return defaultLabel;
  const text = String(value);
  if (text === '') return 'empty';
  const isMebibytes = typeof value === 'number' && value >= MIB && value % MIB === 0;
  return isMebibytes ? `\`${text}\` (${value / MIB} MiB)` : `\`${text}\``;
}
