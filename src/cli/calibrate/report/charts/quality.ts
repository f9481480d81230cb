import type { Figures } from '../../analysis.ts';
import { isMeasured } from '../../operating-point.ts';
import type { ScoredPair } from '../../scored-pairs.ts';
import { type DiscardCurve, idealRate, MAX_DISCARDED } from '../../statistics/quality.ts';
import { QUALITY_LABELS, rateLabel } from '../words.ts';
import { bottomAxis, COLOURS, dots, drawSvg, leftAxis, line, type ScatterSeriesOption } from './canvas.ts';

/** Per class; more dots would only enlarge the file. */
const MAX_DOTS = 1_500;

const DASHED = { type: 'dashed', width: 1 } as const;

/** Distance over the quality of the poorer picture, which shows whether poor pictures cause the errors. */
export function drawQualityScores(
  { quality, operating_points: points }: Figures,
  pairs: ScoredPair[],
): string {
  const loosest = points.find(isMeasured);
  const dotsOf = (same: boolean) =>
    sampleByDistance(pairs.filter((pair) => pair.same === same)).map(
      ({ quality: x, distance }): [number, number] => [x, distance],
    );
  const style: ScatterSeriesOption = { symbolSize: 5, itemStyle: { opacity: 0.45 } };
  return drawSvg('Distance of each pair over the quality of its poorer picture', {
    xAxis: bottomAxis(`${QUALITY_LABELS[quality.measure]} of the poorer picture`, { scale: true }),
    yAxis: leftAxis('cosine distance', { min: 0 }),
    series: [
      dots('different people', dotsOf(false), COLOURS.impostor, style),
      dots('same person', dotsOf(true), COLOURS.genuine, {
        ...style,
        ...(loosest && {
          markLine: {
            symbol: 'none',
            silent: true,
            lineStyle: { color: COLOURS.neutral, type: 'dashed' },
            label: {
              position: 'insideStartTop',
              formatter: `threshold of FAR ${rateLabel(loosest.target)}`,
              color: '#333',
            },
            data: [{ yAxis: loosest.thresholds.cosine }],
          },
        }),
      }),
    ],
  });
}

/** Takes pairs evenly in the order of their distance, the nearest and the most distant included. */
function sampleByDistance(pairs: ScoredPair[]): ScoredPair[] {
  const sorted = [...pairs].sort((a, b) => a.distance - b.distance);
  if (sorted.length <= MAX_DOTS) return sorted;
  const step = (sorted.length - 1) / (MAX_DOTS - 1);
  return Array.from({ length: MAX_DOTS }, (_, index) => sorted[Math.round(index * step)] as ScoredPair);
}

/** False rejects over the discarded share of pairs. */
export function drawQualityError({ points, flatArea: initial }: DiscardCurve): string {
  const axisLabel = { formatter: rateLabel };
  const over = (frrAt: (point: DiscardCurve['points'][number]) => number) =>
    points.map((point): [number, number] => [point.discarded, frrAt(point)]);
  return drawSvg('False rejects over the share of pairs that is discarded', {
    xAxis: bottomAxis('pairs discarded, poorest first', { min: 0, max: MAX_DISCARDED, axisLabel }),
    yAxis: leftAxis('false reject rate of the rest', { min: 0, axisLabel }),
    series: [
      line(
        'this quality',
        over(({ frr }) => frr),
        COLOURS.genuine,
      ),
      line(
        'an uninformative quality',
        over(() => initial),
        COLOURS.neutral,
        { lineStyle: DASHED },
      ),
      line(
        'a perfect quality',
        over(({ discarded }) => idealRate(initial, discarded)),
        COLOURS.impostor,
        { lineStyle: DASHED },
      ),
    ],
  });
}
