import type { SettingDescription } from '../src/config/setting.ts';
import { SETTINGS } from '../src/config/settings.ts';
import { ERROR_CATALOGUE } from '../src/errors.ts';
import { CATALOGUE } from '../src/packs/catalogue.ts';
import { megabytes } from '../src/packs/download/report-download.ts';

/**
 * The parts of the documents that are generated, so that no fact is written twice. `npm run generate` writes them and a
 * test fails when they are out of date.
 */

const settings = Object.entries(SETTINGS) as [string, SettingDescription][];

/** `.env.example`: every setting with its description, commented out at its default. */
export function renderEnvExample(): string {
  const head = [
    '# Configuration of the service. Copy to .env and change what you need; variables that are set win over the file.',
    '# Generated from src/config/config.ts by "npm run generate".',
  ];
  const blocks = settings.map(([name, setting]) => {
    const { defaultLabel } = setting;
    return [
      `# ${setting.description.replaceAll('`', '')}`,
      `# Accepted: ${setting.accepts}.${defaultLabel ? ` Default: ${defaultLabel}.` : ''}`,
      `#${name}=${defaultLabel ? '' : setting.default}`,
    ].join('\n');
  });
  return `${[head.join('\n'), ...blocks].join('\n\n')}\n`;
}

/** The generated sections of the README by the names of their markers. */
export function renderReadmeSections(): Record<string, string> {
  return {
    errors: table(
      ['`error_code`', 'status', 'when'],
      Object.entries(ERROR_CATALOGUE).map(([code, { status, when }]) => [
        `\`${code}\``,
        String(status),
        when,
      ]),
    ),
    configuration: table(
      ['variable', 'default', 'meaning'],
      settings.map(([name, { default: value, defaultLabel, description, accepts }]) => [
        `\`${name}\``,
        defaultLabel ?? (String(value) && `\`${value}\``),
        `${description} Accepted: ${accepts}.`,
      ]),
    ),
    packs: table(
      ['`MODEL_NAME`', 'detector', 'recogniser', 'both, on disk', 'download'],
      [...CATALOGUE.values()].map(({ name, detector, recogniser, archiveBytes }) => [
        `\`${name}\``,
        `\`${detector.name}\``,
        `\`${recogniser.name}\``,
        megabytes(detector.bytes + recogniser.bytes),
        megabytes(archiveBytes),
      ]),
    ),
  };
}

/**
 * Replaces what stands between `<!-- name:begin … -->` and `<!-- name:end -->` for every generated section.
 *
 * @throws when the text lacks a section's markers.
 */
export function updateReadme(text: string): string {
  return Object.entries(renderReadmeSections()).reduce((result, [name, section]) => {
    const markers = new RegExp(`(<!-- ${name}:begin[^>]*-->\n)[\\s\\S]*?(<!-- ${name}:end -->)`);
    if (!markers.test(result)) throw new Error(`The README has no markers for the section ${name}.`);
    return result.replace(markers, (_, begin, end) => `${begin}${section}${end}`);
  }, text);
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('');
}
