/* Parts of the report's page. */

const STYLE = `
  :root { color-scheme: light; }
  body { margin: 0; background: #f6f6f4; color: #1c1c1c; font: 16px/1.5 system-ui, sans-serif; }
  main { max-width: 1000px; margin: 0 auto; padding: 32px 24px 64px; }
  h1 { font-size: 1.7rem; margin: 0 0 4px; } h2 { font-size: 1.2rem; margin: 40px 0 8px; }
  p, li { max-width: 75ch; } .quiet { color: #5a5a5a; } code { font-size: .92em; overflow-wrap: anywhere; }
  .facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 24px 0; }
  .facts div { background: #fff; border: 1px solid #ddd; border-radius: 8px; padding: 12px 16px; }
  .facts b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums; } .facts span { color: #5a5a5a; font-size: .85rem; }
  .scroll + .scroll { margin-top: 16px; }
  .scroll { overflow-x: auto; background: #fff; border: 1px solid #ddd; border-radius: 8px; }
  table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; }
  th, td { text-align: left; padding: 8px 12px; border-bottom: 1px solid #e6e6e6; vertical-align: top; }
  th { font-weight: 600; background: #fafafa; } tbody tr:last-child td { border-bottom: 0; }
  td small { display: block; color: #5a5a5a; white-space: nowrap; } td.words { min-width: 20ch; }
  tr.none td { color: #7a4a00; background: #fff8ec; }
  .wrap { overflow-wrap: anywhere; }
  figure { margin: 16px 0 32px; background: #fff; border: 1px solid #ddd; border-radius: 8px; padding: 16px; }
  figure svg { display: block; max-width: 100%; height: auto; margin: 0 auto; } figcaption { color: #444; font-size: .92rem; margin-top: 8px; max-width: 80ch; }
  @media print { body { background: #fff; } figure, .scroll { break-inside: avoid; } }
`;

/**
 * A page that loads nothing.
 *
 * @param title as HTML.
 * @param body HTML.
 */
export function renderHtml(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${body}</main>
</body>
</html>
`;
}

export const fact = (value: string, name: string) => `<div><b>${value}</b><span>${name}</span></div>`;

/** @param rows HTML. */
export function table(head: string[], rows: string[]): string {
  const cells = head.map((name) => `<th scope="col">${asText(name)}</th>`).join('');
  return `<div class="scroll"><table><thead><tr>${cells}</tr></thead><tbody>\n${rows.join('\n')}\n</tbody></table></div>`;
}

export function figure(svg: string, title: string, caption: string): string {
  const drawing = svg.replace('<svg ', `<svg role="img" aria-label="${asText(title)}" `);
  return `<figure>${drawing}<figcaption><b>${asText(title)}.</b> ${asText(caption)}</figcaption></figure>`;
}

export function asText(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
