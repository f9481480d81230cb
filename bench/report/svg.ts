// The parts of a line chart as SVG text.

export interface Line {
  label: string;
  colour: string;
  /** The value of `stroke-dasharray`; empty for a solid line. */
  dash: string;
  points: readonly { x: number; y: number }[];
}

/** Where values are drawn. */
export interface Scales {
  x: (value: number) => string;
  y: (value: number) => string;
}

type Coordinate = number | string;

/** @param parts elements, drawn in this order. */
export function svgText(
  { width, height, title }: { width: number; height: number; title: string },
  parts: readonly string[],
): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<title>${escapeText(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

export function gridLine(x1: Coordinate, y1: Coordinate, x2: Coordinate, y2: Coordinate): string {
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="#ddd"/>`;
}

export function polyline({ points, ...style }: Omit<Line, 'label'>, scales: Scales): string {
  const path = points.map(({ x, y }) => `${scales.x(x)},${scales.y(y)}`).join(' ');
  return `<polyline points="${path}" fill="none" ${stroke(style)}/>`;
}

/** A sample of the line at x and y, with its label to the right. */
export function legendEntry({ label, ...style }: Omit<Line, 'points'>, x: number, y: number): string[] {
  const sample = `<line x1="${x}" y1="${y}" x2="${x + 24}" y2="${y}" ${stroke(style)}/>`;
  return [sample, text(x + 30, y + 4, label, 'start')];
}

export function text(
  x: Coordinate,
  y: Coordinate,
  content: string,
  anchor: 'start' | 'middle' | 'end',
): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="#333">${escapeText(content)}</text>`;
}

function stroke({ colour, dash }: Pick<Line, 'colour' | 'dash'>): string {
  return `stroke="${colour}" stroke-width="2" stroke-dasharray="${dash}"`;
}

function escapeText(content: string): string {
  return content.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
}
