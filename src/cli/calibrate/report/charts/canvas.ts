import { LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent } from 'echarts/components';
import * as echarts from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';

echarts.use([
  LineChart,
  ScatterChart,
  GridComponent,
  LegendComponent,
  MarkAreaComponent,
  MarkLineComponent,
  SVGRenderer,
]);

/** Blue and orange that the colour-blind tell apart (Okabe and Ito). */
export const COLOURS = { genuine: '#0072b2', impostor: '#d55e00', neutral: '#666', shade: '#efefef' };

const WIDE = { width: 760, height: 420 };
const SQUARE = { width: 560, height: 520 };

/**
 * The SVG text of a chart.
 *
 * @param title for those who cannot see it. @param option of ECharts. @param square for charts whose axes share a scale.
 */
export function drawSvg(title, option, { square = false } = {}) {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, ...(square ? SQUARE : WIDE) });
  chart.setOption({
    animation: false,
    backgroundColor: '#fff',
    textStyle: { fontFamily: 'sans-serif', fontSize: 13 },
    grid: { left: 64, right: 28, top: 48, bottom: 56 },
    legend: { top: 6, left: 56, icon: 'roundRect', itemHeight: 8, selectedMode: false },
    ...option,
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  // ECharts adds a style sheet for pointers, which has nothing to do in a picture, and no title.
  const still = svg.replace(/<style\b.*?<\/style>\s*/s, '').replaceAll(/ class="[^"]*"/g, '');
  return `${still.replace('>', `>\n<title>${title}</title>`)}\n`;
}

/** An axis with its name beside its middle. */
export function axis(name, options) {
  return {
    type: 'value',
    name,
    nameLocation: 'middle',
    nameTextStyle: { color: '#333' },
    splitLine: { show: true, lineStyle: { color: '#e3e3e3' } },
    axisLine: { show: true, onZero: false, lineStyle: { color: '#888' } },
    axisLabel: { color: '#333', ...options.axisLabel },
    ...omit(options, 'axisLabel'),
  };
}

export const bottomAxis = (name, options = {}) => axis(name, { nameGap: 32, ...options });
export const leftAxis = (name, options = {}) => axis(name, { nameGap: 48, ...options });

/** A line without dots. */
export function line(name, data, colour, options = {}) {
  return {
    type: 'line',
    name,
    data,
    showSymbol: false,
    lineStyle: { color: colour, width: 2, ...options.lineStyle },
    itemStyle: { color: colour },
    silent: true,
    ...omit(options, 'lineStyle'),
  };
}

function omit(object, name) {
  const { [name]: _, ...rest } = object;
  return rest;
}
