import { histogramOf } from '../../statistics/histogram.ts';
import { sortScores } from '../../statistics/scores.ts';
import { count, rateLabel } from '../words.ts';
import { bottomAxis, COLOURS, drawSvg, leftAxis, line } from './canvas.ts';

/** How the distances of both classes are spread, with the thresholds that the data carry. */
export function drawScoreHistogram(figures, pairs) {
  const { width, genuine, impostor } = histogramOf(sortScores(pairs));
  const end = Number((width * genuine.length).toFixed(3));
  const classes = [
    [`one person (${count(figures.genuine_pairs)} pairs)`, genuine, COLOURS.genuine],
    [`different people (${count(figures.impostor_pairs)} pairs)`, impostor, COLOURS.impostor],
  ];
  const series = classes.map(([name, shares, colour]) =>
    line(name, outline(shares, width), colour, {
      step: 'end',
      areaStyle: { color: colour, opacity: 0.25 },
    }),
  );
  series[0].markLine = thresholdLines(figures);
  return drawSvg('Distances of both classes of pairs', {
    xAxis: bottomAxis('cosine distance', { min: 0, max: end, axisLabel: { showMaxLabel: false } }),
    yAxis: leftAxis('share of the class', { axisLabel: { formatter: rateLabel } }),
    series,
  });
}

/** Each bin's share from its left edge on; the last edge closes the outline. */
function outline(shares, width) {
  const points = shares.map((share, index) => [index * width, share]);
  return [...points, [shares.length * width, shares.at(-1)]];
}

function thresholdLines({ operating_points: points }) {
  const carried = points.filter(({ thresholds }) => thresholds);
  return {
    symbol: 'none',
    silent: true,
    lineStyle: { color: COLOURS.neutral, type: 'dashed', width: 1 },
    data: carried.map(({ target, thresholds }) => ({
      xAxis: thresholds.cosine,
      // Along the line, for thresholds lie close together.
      label: { formatter: `FAR ${rateLabel(target)}`, position: 'insideEndTop', color: '#333' },
    })),
  };
}
