import {
  bottomAxis,
  COLOURS,
  drawSvg,
  type LineSeriesOption,
  leftAxis,
  line,
} from '../report/charts/canvas.ts';
import { outline } from '../report/charts/score-histogram.ts';
import { count, rateLabel } from '../report/words.ts';
import { histogramOf } from '../statistics/histogram.ts';
import type { LivenessCharts } from './page.ts';
import { type ChosenThreshold, ratesAt, type ScoresByClass } from './rates.ts';

/** Points of a curve. */
const STEPS = 200;

/** The distributions of the scores of both classes, and both errors over the threshold. */
export function drawLivenessCharts(scores: ScoresByClass, chosen: ChosenThreshold): LivenessCharts {
  return {
    'liveness-scores.svg': drawHistogram(scores, chosen),
    'liveness-rates.svg': drawRates(scores, chosen),
  };
}

function drawHistogram(scores: ScoresByClass, chosen: ChosenThreshold): string {
  const [live, spoofs] = [scores.live, [...scores.spoofs.values()].flat()].map((list) =>
    Float64Array.from(list).sort(),
  ) as [Float64Array, Float64Array];
  const { width, genuine, impostor } = histogramOf({ genuine: live, impostor: spoofs });
  const style: LineSeriesOption = { step: 'end', areaStyle: { opacity: 0.25 } };
  const named = (name: string, { length }: Float64Array) => `${name} (${count(length)})`;
  return drawSvg('Liveness scores of both classes', {
    xAxis: bottomAxis('score', { min: 0, max: 1 }),
    yAxis: leftAxis('share of the class', { axisLabel: { formatter: rateLabel } }),
    series: [
      line(named('live faces', live), outline(genuine, width), COLOURS.genuine, {
        ...style,
        ...thresholdLine(chosen),
      }),
      line(named('spoofs', spoofs), outline(impostor, width), COLOURS.impostor, style),
    ],
  });
}

function drawRates(scores: ScoresByClass, chosen: ChosenThreshold): string {
  const points = Array.from({ length: STEPS + 1 }, (_, index) => ratesAt(scores, index / STEPS));
  return drawSvg('APCER and BPCER over the threshold', {
    xAxis: bottomAxis('threshold', { min: 0, max: 1 }),
    yAxis: leftAxis('error rate', { min: 0, max: 1, axisLabel: { formatter: rateLabel } }),
    series: [
      line(
        'BPCER',
        points.map(({ threshold, bpcer }) => [threshold, bpcer.rate]),
        COLOURS.genuine,
        thresholdLine(chosen),
      ),
      line(
        'APCER',
        points.map(({ threshold, apcer }) => [threshold, apcer.rate]),
        COLOURS.impostor,
      ),
    ],
  });
}

function thresholdLine({ rates }: ChosenThreshold): LineSeriesOption {
  if (rates === undefined) return {};
  return {
    markLine: {
      symbol: 'none',
      silent: true,
      lineStyle: { color: COLOURS.neutral, type: 'dashed', width: 1 },
      data: [{ xAxis: rates.threshold }],
      label: { formatter: 'threshold', position: 'insideEndTop', color: '#333' },
    },
  };
}
