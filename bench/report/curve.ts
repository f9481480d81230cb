import { gridLine, legendEntry, polyline, svgText, text } from './svg.ts';

// Draws one kind of chart: latency (logarithmic) over throughput.

const WIDTH = 720;
const HEIGHT = 400;
const MARGIN = { left: 64, right: 24, top: 56, bottom: 52 };
const LETTER_WIDTH = 6;
const COLOURS = { service: '#1a6fb5', peer2: '#c2571a' };
const NAMES = { service: 'service', peer2: 'peer, two processes' };
const DASHES = { p50: '', p95: '6 4' };

/**
 * Draws the open loop: what was due a second across, latency from the scheduled start up (logarithmic). With a
 * peer, in multiples of its capacity and of its median alone, since absolute times are the machine's.
 */
export function renderCurve({ open = [], closed = [] }) {
  const units = relativeUnits(closed, open);
  const lines = ['service', 'peer2'].flatMap((system) =>
    ['p50', 'p95'].map((key) => ({
      label: `${NAMES[system]}, ${key}`,
      colour: COLOURS[system],
      dash: DASHES[key],
      points: open
        .filter((row) => row.system === system && row.curve[key] !== undefined)
        .map((row) => ({ x: row.rate / units.throughput, y: row.curve[key] / units.latency })),
    })),
  );
  return drawLines(
    lines.filter(({ points }) => points.length > 0),
    { x: units.throughputLabel, y: units.latencyLabel },
  );
}

function relativeUnits(closed, open) {
  const [{ size } = {}] = open;
  const peer = (connections) =>
    closed.find((row) => row.size === size && row.kind === 'photographs' && row.connections === connections)
      ?.systems.peer2;
  const throughput = peer(8)?.throughput?.median;
  const latency = peer(1)?.latency?.p50;
  if (!throughput || !latency) {
    const labels = { throughputLabel: 'requests due a second', latencyLabel: 'latency, ms' };
    return { throughput: 1, latency: 1, ...labels };
  }
  return {
    throughput,
    latency,
    throughputLabel: 'requests due a second, in multiples of what the two-process peer can answer at most',
    latencyLabel: 'latency, in multiples of that peer’s median alone',
  };
}

/** @param lines [{label, colour, dash, points: [{x, y}]}], y above 0. */
export function drawLines(lines, labels) {
  const all = lines.flatMap(({ points }) => points);
  const xTicks = roundTicks(Math.max(0, ...all.map(({ x }) => x)));
  const yTicks = logTicks(all.map(({ y }) => y));
  const [xLast, yFirst, yLast] = [xTicks.at(-1), yTicks[0], yTicks.at(-1)];
  const place = {
    x: (x) => fixed(MARGIN.left + (x / xLast) * (WIDTH - MARGIN.left - MARGIN.right)),
    y: (y) =>
      fixed(
        HEIGHT -
          MARGIN.bottom -
          (Math.log(y / yFirst) / Math.log(yLast / yFirst)) * (HEIGHT - MARGIN.top - MARGIN.bottom),
      ),
  };
  return svgText({ width: WIDTH, height: HEIGHT, title: 'Latency over throughput, open loop' }, [
    ...xTicks.map((x) => gridLine(place.x(x), place.y(yFirst), place.x(x), place.y(yLast))),
    ...yTicks.map((y) => gridLine(place.x(0), place.y(y), place.x(xLast), place.y(y))),
    ...xTicks.map((x) => text(place.x(x), HEIGHT - MARGIN.bottom + 18, tickLabel(x), 'middle')),
    ...yTicks.map((y) => text(MARGIN.left - 8, Number(place.y(y)) + 4, tickLabel(y), 'end')),
    text(WIDTH / 2, HEIGHT - 12, labels.x, 'middle'),
    text(MARGIN.left - 40, 46, labels.y, 'start'),
    ...lines.flatMap((line) => dotted(line, place)),
    ...lines.map(legend),
  ]);
}

function dotted(line, place) {
  const { points, colour } = line;
  return [
    polyline(line, place),
    ...points.map(({ x, y }) => `<circle cx="${place.x(x)}" cy="${place.y(y)}" r="3" fill="${colour}"/>`),
  ];
}

/** Side by side; text is as wide as it has letters, nearly. */
function legend(line, index, lines) {
  const before = lines.slice(0, index).reduce((sum, { label }) => sum + 46 + label.length * LETTER_WIDTH, 0);
  return legendEntry(line, MARGIN.left + before, 20).join('');
}

/** From 0 in steps of 1, 2 or 5 times a power of ten, up to at least `most`. */
export function roundTicks(most) {
  const power = 10 ** Math.floor(Math.log10(Math.max(most, 1e-9) / 4));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => most / size <= 6);
  return Array.from({ length: Math.max(2, Math.ceil(most / step - 1e-9) + 1) }, (_, i) => i * step);
}

/** 1, 2 and 5 times powers of ten that enclose all values. */
export function logTicks(values) {
  const known = values.filter((value) => value > 0);
  const [least, most] = known.length > 0 ? [Math.min(...known), Math.max(...known)] : [1, 10];
  const ticks = [];
  for (
    let exponent = Math.floor(Math.log10(least));
    exponent <= Math.ceil(Math.log10(most)) + 1;
    exponent++
  ) {
    for (const factor of [1, 2, 5]) ticks.push(factor * 10 ** exponent);
  }
  const first = ticks.findLastIndex((tick) => tick <= least);
  const last = ticks.findIndex((tick) => tick >= most);
  return ticks.slice(first, Math.max(last, first + 1) + 1);
}

const tickLabel = (value) => Number(value.toPrecision(6)).toLocaleString('en', { maximumFractionDigits: 3 });
const fixed = (value) => value.toFixed(1);
