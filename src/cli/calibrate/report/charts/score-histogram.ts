import type { Figures } from '../../analysis.ts';
import { isMeasured } from '../../operating-point.ts';
import { histogramOf } from '../../statistics/histogram.ts';
import { type Score, sortScores } from '../../statistics/scores.ts';
import { count, rateLabel } from '../words.ts';
import { bottomAxis, COLOURS, drawSvg, type LineSeriesOption, leftAxis, line } from './canvas.ts';

/** The distributions of the distances of both classes, with the measured thresholds. */
export function drawScoreHistogram(figures: Figures, pairs: Score[]): string {
  const { width, genuine, impostor } = histogramOf(sortScores(pairs));
  const end = Number((width * genuine.length).toFixed(3));
  const style: LineSeriesOption = { step: 'end', areaStyle: { opacity: 0.25 } };
  return drawSvg('Distances of both classes of pairs', {
    xAxis: bottomAxis('cosine distance', { min: 0, max: end, axisLabel: { showMaxLabel: false } }),
    yAxis: leftAxis('share of the class', { axisLabel: { formatter: rateLabel } }),
    series: [
      line(`same person (${count(figures.genuine_pairs)} pairs)`, outline(genuine, width), COLOURS.genuine, {
        ...style,
        markLine: thresholdLines(figures),
      }),
      line(
        `different people (${count(figures.impostor_pairs)} pairs)`,
        outline(impostor, width),
        COLOURS.impostor,
        style,
      ),
    ],
  });
}

/** A point at the left edge of each bin, and one at the right edge of the last. */
export function outline(shares: number[], width: number): [number, number][] {
  return [...shares, shares.at(-1) ?? 0].map((share, index) => [index * width, share]);
}

function thresholdLines({ operating_points: points }: Figures): NonNullable<LineSeriesOption['markLine']> {
  return {
    symbol: 'none',
    silent: true,
    lineStyle: { color: COLOURS.neutral, type: 'dashed', width: 1 },
    data: points.filter(isMeasured).map(({ target, thresholds }) => ({
      xAxis: thresholds.cosine,
      // Along the line, because thresholds lie close together.
      label: { formatter: `FAR ${rateLabel(target)}`, position: 'insideEndTop', color: '#333' },
    })),
  };
}
