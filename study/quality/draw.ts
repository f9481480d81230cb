import { roundTicks } from '../../bench/report/curve.ts';
import { gridLine, legendEntry, polyline, svgText, text } from '../../bench/report/svg.ts';

// Draws one kind of chart: error of the rest over the share that was discarded.

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
  return svgText({ width: WIDTH, height: HEIGHT, title }, [
    ...xTicks.map((x) => gridLine(place.x(x), bottom, place.x(x), top)),
    ...yTicks.map((y) => gridLine(left, place.y(y), right, place.y(y))),
    ...xTicks.map((x) => text(place.x(x), HEIGHT - MARGIN.bottom + 18, percent(x), 'middle')),
    ...yTicks.map((y) => text(MARGIN.left - 8, Number(place.y(y)) + 4, percent(y), 'end')),
    text((Number(left) + Number(right)) / 2, HEIGHT - 12, xLabel, 'middle'),
    text(16, 24, yLabel, 'start'),
    ...lines.map((line) => polyline(line, place)),
    ...lines.flatMap((line, index) =>
      legendEntry(line, WIDTH - MARGIN.right + 14, MARGIN.top + 8 + index * LEGEND_STEP),
    ),
  ]);
}

const percent = (share) => `${Number((100 * share).toPrecision(6))} %`;
