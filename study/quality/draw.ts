import { roundTicks } from '../../bench/report/curve.ts';
import { gridLine, legendEntry, polyline, svgText, text } from '../../bench/report/svg.ts';

const WIDTH = 720;
const HEIGHT = 400;
const MARGIN = { left: 64, right: 210, top: 44, bottom: 52 };
const LEGEND_STEP = 22;
const X_TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1];

interface Line {
  label: string;
  colour: string;
  /** SVG's stroke-dasharray. */
  dash: string;
  /** x from 0 to 1, y not negative. */
  points: readonly { x: number; y: number }[];
}

/** An SVG chart of the error of the remaining comparisons over the discarded share. */
export function drawCurves(lines: readonly Line[], labels: { title: string; x: string; y: string }): string {
  const yTicks = roundTicks(Math.max(...lines.flatMap(({ points }) => points.map(({ y }) => y))));
  const maxY = yTicks.at(-1) ?? 1;
  const place = {
    x: (x: number) => (MARGIN.left + x * (WIDTH - MARGIN.left - MARGIN.right)).toFixed(1),
    y: (y: number) =>
      (HEIGHT - MARGIN.bottom - (y / maxY) * (HEIGHT - MARGIN.top - MARGIN.bottom)).toFixed(1),
  };
  const [left, right, bottom, top] = [place.x(0), place.x(1), place.y(0), place.y(maxY)] as const;
  return svgText({ width: WIDTH, height: HEIGHT, title: labels.title }, [
    ...X_TICKS.map((x) => gridLine(place.x(x), bottom, place.x(x), top)),
    ...yTicks.map((y) => gridLine(left, place.y(y), right, place.y(y))),
    ...X_TICKS.map((x) => text(place.x(x), HEIGHT - MARGIN.bottom + 18, percent(x), 'middle')),
    ...yTicks.map((y) => text(MARGIN.left - 8, Number(place.y(y)) + 4, percent(y), 'end')),
    text((Number(left) + Number(right)) / 2, HEIGHT - 12, labels.x, 'middle'),
    text(16, 24, labels.y, 'start'),
    ...lines.map((line) => polyline(line, place)),
    ...lines.flatMap((line, index) =>
      legendEntry(line, WIDTH - MARGIN.right + 14, MARGIN.top + 8 + index * LEGEND_STEP),
    ),
  ]);
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(6))} %`;
}
