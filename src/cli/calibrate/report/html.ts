/** A table. @param rows as HTML. */
export function table(head: string[], rows: string[]): string {
  const cells = head.map((name) => `<th scope="col">${asText(name)}</th>`).join('');
  return `<div class="scroll"><table><thead><tr>${cells}</tr></thead><tbody>\n${rows.join('\n')}\n</tbody></table></div>`;
}

/** Text as HTML. */
export function asText(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
