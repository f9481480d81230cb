import { LineChart, type LineSeriesOption, ScatterChart, type ScatterSeriesOption } from 'echarts/charts';
import {
  GridComponent,
  type GridComponentOption,
  LegendComponent,
  type LegendComponentOption,
  MarkAreaComponent,
  MarkLineComponent,
} from 'echarts/components';
import { type ComposeOption, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';

use([
  LineChart,
  ScatterChart,
  GridComponent,
  LegendComponent,
  MarkAreaComponent,
  MarkLineComponent,
  SVGRenderer,
]);

export type { LineSeriesOption, ScatterSeriesOption };

type ChartOption = ComposeOption<
  LineSeriesOption | ScatterSeriesOption | GridComponentOption | LegendComponentOption
>;
type AxisOption<Axis extends 'xAxis' | 'yAxis'> = Extract<ChartOption[Axis], { type?: 'value' | 'log' }>;

/** Blue and orange that are distinguishable with colour blindness (Okabe and Ito). */
export const COLOURS = { genuine: '#0072b2', impostor: '#d55e00', neutral: '#666', shade: '#efefef' };

const AXIS = {
  nameLocation: 'middle',
  nameTextStyle: { color: '#333' },
  splitLine: { show: true, lineStyle: { color: '#e3e3e3' } },
  axisLine: { show: true, onZero: false, lineStyle: { color: '#888' } },
  axisLabel: { color: '#333' },
};
const THEME = {
  backgroundColor: '#fff',
  textStyle: { fontFamily: 'sans-serif', fontSize: 13 },
  legend: { top: 6, left: 56, icon: 'roundRect', itemHeight: 8, itemGap: 28, selectedMode: false },
  grid: { left: 64, right: 28, top: 48, bottom: 56 },
  valueAxis: AXIS,
  logAxis: AXIS,
};

const WIDE = { width: 760, height: 420 };
const SQUARE = { width: 560, height: 520 };

/**
 * Draws a chart as SVG text.
 *
 * @param title for assistive technology.
 * @param shape square if both axes have the same scale.
 */
export function drawSvg(title: string, option: ChartOption, shape: 'wide' | 'square' = 'wide'): string {
  const size = shape === 'square' ? SQUARE : WIDE;
  const chart = init(null, THEME, { renderer: 'svg', ssr: true, ...size });
  chart.setOption({ animation: false, legend: {}, grid: {}, ...option });
  const svg = chart.renderToSVGString();
  chart.dispose();
  // ECharts adds a style sheet for the mouse pointer, and no title.
  const still = svg.replace(/<style\b.*?<\/style>\s*/s, '').replaceAll(/ class="[^"]*"/g, '');
  return `${still.replace('>', `>\n<title>${title}</title>`)}\n`;
}

export function bottomAxis(name: string, options: AxisOption<'xAxis'> = {}): AxisOption<'xAxis'> {
  return { name, nameGap: 32, ...options };
}

export function leftAxis(name: string, options: AxisOption<'yAxis'> = {}): AxisOption<'yAxis'> {
  return { name, nameGap: 48, ...options };
}

/** A line without dots. */
export function line(
  name: string,
  data: [x: number, y: number][],
  color: string,
  options: LineSeriesOption = {},
): LineSeriesOption {
  return { type: 'line', name, data, color, showSymbol: false, silent: true, ...options };
}

/** Dots without a line. */
export function dots(
  name: string,
  data: [x: number, y: number][],
  color: string,
  options: ScatterSeriesOption = {},
): ScatterSeriesOption {
  return { type: 'scatter', name, data, color, silent: true, ...options };
}
