// The parts of a line chart as SVG text, for the few charts that documents of this repository hold.

/** A chart from its parts, one below the other. @param title for those who cannot see it. */
export function svgText({ width, height, title }, parts) {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<title>${escapeText(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

export function gridLine(x1, y1, x2, y2) {
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="#ddd"/>`;
}

/** @param line {colour, dash, points: [{x, y}]}. @param place functions from x and y to where they are drawn. */
export function polyline({ points, colour, dash }, place) {
  const path = points.map(({ x, y }) => `${place.x(x)},${place.y(y)}`).join(' ');
  return `<polyline points="${path}" fill="none" ${stroke({ colour, dash })}/>`;
}

/** A line of a legend with its label, from x on, around y. */
export function legendEntry({ label, colour, dash }, x, y) {
  const line = `<line x1="${x}" y1="${y}" x2="${x + 24}" y2="${y}" ${stroke({ colour, dash })}/>`;
  return [line, text(x + 30, y + 4, label, 'start')];
}

export function text(x, y, content, anchor) {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="#333">${escapeText(String(content))}</text>`;
}

const stroke = ({ colour, dash }) => `stroke="${colour}" stroke-width="2" stroke-dasharray="${dash}"`;
const escapeText = (content) => content.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
