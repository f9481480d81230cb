import { MOST_DISCARDED } from '../../statistics/quality.ts';
import { QUALITY_WORDS, rateLabel } from '../words.ts';
import { bottomAxis, COLOURS, drawSvg, leftAxis, line } from './canvas.ts';

/** Dots of a class; more would only make the file large. */
const MOST_DOTS = 1_500;

/** Distance over the quality of the poorer picture: whether it is the poor ones that go wrong. */
export function drawQualityScores({ quality, operating_points: points }, pairs) {
  const loosest = points.find(({ thresholds }) => thresholds);
  const dots = (same, name, colour) => ({
    type: 'scatter',
    name,
    data: someOf(pairs.filter((pair) => pair.same === same)).map(({ quality: x, distance }) => [x, distance]),
    symbolSize: 5,
    itemStyle: { color: colour, opacity: 0.45 },
    silent: true,
  });
  const genuine = dots(true, 'one person', COLOURS.genuine);
  if (loosest) {
    genuine.markLine = {
      symbol: 'none',
      silent: true,
      lineStyle: { color: COLOURS.neutral, type: 'dashed' },
      label: {
        position: 'insideStartTop',
        formatter: `threshold of FAR ${rateLabel(loosest.target)}`,
        color: '#333',
      },
      data: [{ yAxis: loosest.thresholds.cosine }],
    };
  }
  return drawSvg('Distance of each pair over the quality of its poorer picture', {
    xAxis: bottomAxis(`${QUALITY_WORDS[quality.measure]} of the poorer picture`, { scale: true }),
    yAxis: leftAxis('cosine distance', { min: 0 }),
    series: [dots(false, 'different people', COLOURS.impostor), genuine],
  });
}

/** Evenly out of all of them by distance, the nearest and the farthest among them. */
function someOf(pairs) {
  const sorted = [...pairs].sort((a, b) => a.distance - b.distance);
  if (sorted.length <= MOST_DOTS) return sorted;
  const step = (sorted.length - 1) / (MOST_DOTS - 1);
  return Array.from({ length: MOST_DOTS }, (_, index) => sorted[Math.round(index * step)]);
}

/** False rejects over the discarded share of pairs; only with a curve. */
export function drawQualityError({ quality: { curve } }) {
  const { points, flatArea: initial } = curve;
  const ideal = points.map(({ discarded }) => [
    discarded,
    Math.max(0, initial - discarded) / (1 - discarded),
  ]);
  return drawSvg('False rejects over the share of pairs that is discarded', {
    xAxis: bottomAxis('pairs discarded, poorest first', {
      min: 0,
      max: MOST_DISCARDED,
      axisLabel: { formatter: rateLabel },
    }),
    yAxis: leftAxis('false reject rate of the rest', { min: 0, axisLabel: { formatter: rateLabel } }),
    series: [
      line(
        'this quality',
        points.map(({ discarded, frr }) => [discarded, frr]),
        COLOURS.genuine,
      ),
      line(
        'a quality that says nothing',
        [
          [0, initial],
          [points.at(-1).discarded, initial],
        ],
        COLOURS.neutral,
        {
          lineStyle: { type: 'dashed', width: 1 },
        },
      ),
      line('a perfect quality', ideal, COLOURS.impostor, { lineStyle: { type: 'dashed', width: 1 } }),
    ],
  });
}
