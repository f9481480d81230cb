import { roundTicks } from '../../bench/report/curve.mjs';

// A small SVG writer for one kind of chart: error of the rest over the share that was discarded.

const WIDTH = 720;
const HEIGHT = 400;
const MARGIN = { left: 64, right: 210, top: 44, bottom: 52 };
const LEGEND_STEP = 22;

/**
 * @param lines [{label, colour, dash, points: [{x, y}]}], x from 0 to 1, y from 0.
 */
export function drawCurves(lines, { title, x: xLabel, y: yLabel }) {
  const xTicks = [0, 0.2, 0.4, 0.6, 0.8, 1];
  const yTicks = roundTicks(Math.max(...lines.flatMap(({ points }) => points.map(({ y }) => y))));
  const place = {
    x: (x) => (MARGIN.left + x * (WIDTH - MARGIN.left - MARGIN.right)).toFixed(1),
    y: (y) =>
      (HEIGHT - MARGIN.bottom - (y / yTicks.at(-1)) * (HEIGHT - MARGIN.top - MARGIN.bottom)).toFixed(1),
  };
  const [left, right, bottom, top] = [place.x(0), place.x(1), place.y(0), place.y(yTicks.at(-1))];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>${escapeText(title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    ...xTicks.map((x) => gridLine(place.x(x), bottom, place.x(x), top)),
    ...yTicks.map((y) => gridLine(left, place.y(y), right, place.y(y))),
    ...xTicks.map((x) => text(place.x(x), HEIGHT - MARGIN.bottom + 18, percent(x), 'middle')),
    ...yTicks.map((y) => text(MARGIN.left - 8, Number(place.y(y)) + 4, percent(y), 'end')),
    text((Number(left) + Number(right)) / 2, HEIGHT - 12, xLabel, 'middle'),
    text(16, 24, yLabel, 'start'),
    ...lines.map((line) => polyline(line, place)),
    ...lines.flatMap(legend),
    '</svg>',
    '',
  ].join('\n');
}

function gridLine(x1, y1, x2, y2) {
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="#ddd"/>`;
}

function polyline({ points, colour, dash }, place) {
  const path = points.map(({ x, y }) => `${place.x(x)},${place.y(y)}`).join(' ');
  return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2" stroke-dasharray="${dash}"/>`;
}

function legend({ label, colour, dash }, index) {
  const x = WIDTH - MARGIN.right + 14;
  const y = MARGIN.top + 8 + index * LEGEND_STEP;
  return [
    `<line x1="${x}" y1="${y}" x2="${x + 24}" y2="${y}" stroke="${colour}" stroke-width="2" stroke-dasharray="${dash}"/>`,
    text(x + 30, y + 4, label, 'start'),
  ];
}

function text(x, y, content, anchor) {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="#333">${escapeText(content)}</text>`;
}

const escapeText = (content) => content.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
const percent = (share) => `${Number((100 * share).toPrecision(6))} %`;
