import type { ServerName } from '../measures/context.ts';
import type { Measurements } from '../results.ts';
import { gridLine, type Line, legendEntry, polyline, type Scales, svgText, text } from './svg.ts';

// Draws latency (logarithmic) over throughput.

const WIDTH = 720;
const HEIGHT = 400;
const MARGIN = { left: 64, right: 24, top: 56, bottom: 52 };
const PLOT_WIDTH = WIDTH - MARGIN.left - MARGIN.right;
const PLOT_HEIGHT = HEIGHT - MARGIN.top - MARGIN.bottom;
/** Approximate width of a character. */
const CHARACTER_WIDTH = 6;
const SYSTEMS = [
  { system: 'service', name: 'service', colour: '#1a6fb5' },
  { system: 'peer2', name: 'peer, two processes', colour: '#c2571a' },
] as const;
const PERCENTILES = [
  { key: 'p50', dash: '' },
  { key: 'p95', dash: '6 4' },
] as const;

/**
 * Draws the open loop: rate of requests against latency. With a peer, both are multiples of the peer's figures, because
 * absolute values depend on the machine.
 */
export function renderCurve({ open = [], closed = [] }: Pick<Measurements, 'open' | 'closed'>): string {
  const units = chooseUnits({ open, closed });
  const pointsOf = (system: ServerName, key: 'p50' | 'p95') =>
    open
      .filter((row) => row.system === system)
      .flatMap(({ rate, curve }) => {
        const latency = curve[key];
        return latency === undefined ? [] : [{ x: rate / units.throughput, y: latency / units.latency }];
      });
  const lines = SYSTEMS.flatMap(({ system, name, colour }) =>
    PERCENTILES.map(({ key, dash }) => ({
      label: `${name}, ${key}`,
      colour,
      dash,
      points: pointsOf(system, key),
    })),
  );
  return drawLines(
    lines.filter(({ points }) => points.length > 0),
    { x: units.throughputLabel, y: units.latencyLabel },
  );
}

interface Units {
  throughput: number;
  latency: number;
  throughputLabel: string;
  latencyLabel: string;
}

function chooseUnits({ open, closed }: Required<Pick<Measurements, 'open' | 'closed'>>): Units {
  const peer = (wanted: number) =>
    closed.find(
      ({ size, kind, connections }) =>
        size === open[0]?.size && kind === 'photographs' && connections === wanted,
    )?.systems.peer2;
  const throughput = peer(8)?.throughput?.median;
  const latency = peer(1)?.latency.p50;
  if (!throughput || !latency) {
    const labels = { throughputLabel: 'requests per second', latencyLabel: 'latency, ms' };
    return { throughput: 1, latency: 1, ...labels };
  }
  return {
    throughput,
    latency,
    throughputLabel: 'requests per second, as a multiple of the maximum throughput of the two-process peer',
    latencyLabel: 'latency, as a multiple of that peer’s median at 1 connection',
  };
}

/** @param lines values of y are above 0. */
export function drawLines(lines: readonly Line[], labels: { x: string; y: string; title?: string }): string {
  const points = lines.flatMap((line) => line.points);
  const xTicks = roundTicks(Math.max(0, ...points.map(({ x }) => x)));
  const yTicks = logTicks(points.map(({ y }) => y));
  const [xMax, yMin, yMax] = [xTicks.at(-1), yTicks[0], yTicks.at(-1)] as [number, number, number];
  const scales = {
    x: (x: number) => (MARGIN.left + (x / xMax) * PLOT_WIDTH).toFixed(1),
    y: (y: number) =>
      (HEIGHT - MARGIN.bottom - (Math.log(y / yMin) / Math.log(yMax / yMin)) * PLOT_HEIGHT).toFixed(1),
  };
  const title = labels.title ?? 'Latency over throughput, open loop';
  return svgText({ width: WIDTH, height: HEIGHT, title }, [
    ...xTicks.map((x) => gridLine(scales.x(x), scales.y(yMin), scales.x(x), scales.y(yMax))),
    ...yTicks.map((y) => gridLine(scales.x(0), scales.y(y), scales.x(xMax), scales.y(y))),
    ...xTicks.map((x) => text(scales.x(x), HEIGHT - MARGIN.bottom + 18, tickLabel(x), 'middle')),
    ...yTicks.map((y) => text(MARGIN.left - 8, Number(scales.y(y)) + 4, tickLabel(y), 'end')),
    text(WIDTH / 2, HEIGHT - 12, labels.x, 'middle'),
    text(MARGIN.left - 40, 46, labels.y, 'start'),
    ...lines.flatMap((line) => lineWithDots(line, scales)),
    ...legend(lines),
  ]);
}

function lineWithDots(line: Line, scales: Scales): string[] {
  const dots = line.points.map(
    ({ x, y }) => `<circle cx="${scales.x(x)}" cy="${scales.y(y)}" r="3" fill="${line.colour}"/>`,
  );
  return [polyline(line, scales), ...dots];
}

/** One row, above the plot. */
function legend(lines: readonly Line[]): string[] {
  let x = MARGIN.left;
  return lines.map((line) => {
    const entry = legendEntry(line, x, 20);
    x += 46 + line.label.length * CHARACTER_WIDTH;
    return entry.join('');
  });
}

/** From 0 in steps of 1, 2 or 5 times a power of ten, up to at least `max`. */
export function roundTicks(max: number): number[] {
  const power = 10 ** Math.floor(Math.log10(Math.max(max, 1e-9) / 4));
  const step = [1, 2, 5].map((factor) => factor * power).find((size) => max / size <= 6) ?? 10 * power;
  return Array.from({ length: Math.max(2, Math.ceil(max / step - 1e-9) + 1) }, (_, i) => i * step);
}

/** 1, 2 and 5 times powers of ten that enclose all values. */
export function logTicks(values: readonly number[]): number[] {
  const known = values.filter((value) => value > 0);
  const [min, max] = known.length > 0 ? [Math.min(...known), Math.max(...known)] : [1, 10];
  const [low, high] = [Math.floor(Math.log10(min)), Math.ceil(Math.log10(max)) + 1];
  const powers = Array.from({ length: high - low + 1 }, (_, i) => low + i);
  const ticks = powers.flatMap((power) => [1, 2, 5].map((factor) => factor * 10 ** power));
  const first = ticks.findLastIndex((tick) => tick <= min);
  const last = ticks.findIndex((tick) => tick >= max);
  return ticks.slice(first, Math.max(last, first + 1) + 1);
}

function tickLabel(value: number): string {
  return Number(value.toPrecision(6)).toLocaleString('en', { maximumFractionDigits: 3 });
}
