/** A Markdown table. Vertical bars in cells are escaped. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/**
 * Replaces the lines between `<!-- name:begin … -->` and `<!-- name:end -->`.
 *
 * @throws {Error} when the text lacks the markers.
 */
export function updateSection(text: string, name: string, body: string): string {
  const section = new RegExp(`(<!-- ${name}:begin[^\\n]*-->\n)[\\s\\S]*?(<!-- ${name}:end -->)`);
  if (!section.test(text)) throw new Error(`The document has no markers for the section "${name}".`);
  return text.replace(section, (_, begin, end) => `${begin}${body}\n${end}`);
}

/** Replaces several sections, given as name and body. */
export function updateSections(text: string, sections: Readonly<Record<string, string>>): string {
  return Object.entries(sections).reduce((current, [name, body]) => updateSection(current, name, body), text);
}
