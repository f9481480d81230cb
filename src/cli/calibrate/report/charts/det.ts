import type { Figures } from '../../analysis.ts';
import { probit } from '../../statistics/probit.ts';
import { rateLabel } from '../words.ts';
import { bottomAxis, COLOURS, drawSvg, leftAxis, line } from './canvas.ts';

const TICKS = [0.00001, 0.0001, 0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4];
const MAX_RATE = 0.5;

/** FRR over FAR, both as normal deviates. A rate of 0 is drawn on the edge that is labelled 0. */
export function drawDet({ roc, genuine_pairs: genuine, impostor_pairs: impostors }: Figures): string {
  // Half an error: below every rate that can be measured.
  const [minFar, minFrr] = [0.5 / impostors, 0.5 / genuine];
  const points = roc
    .map(({ far, tar }) => ({ far, frr: 1 - tar }))
    .filter(({ far, frr }) => far <= MAX_RATE && frr <= MAX_RATE)
    .map(({ far, frr }): [number, number] => [probit(Math.max(far, minFar)), probit(Math.max(frr, minFrr))]);
  const [from, to] = [probit(Math.max(minFar, minFrr)), probit(MAX_RATE)];
  return drawSvg(
    'False reject rate over false accept rate, both as deviates of the normal distribution',
    {
      grid: { left: 72 },
      xAxis: bottomAxis('false accept rate (FAR)', deviateAxis(minFar)),
      yAxis: leftAxis('false reject rate (FRR = 1 − TAR)', deviateAxis(minFrr)),
      series: [
        line('measured', points, COLOURS.genuine, { step: 'start' }),
        line(
          'both errors equal',
          [
            [from, from],
            [to, to],
          ],
          COLOURS.neutral,
          { lineStyle: { type: 'dashed', width: 1 } },
        ),
      ],
    },
    'square',
  );
}

function deviateAxis(minRate: number) {
  const rates = TICKS.filter((rate) => rate > 2 * minRate);
  const labels: [deviate: number, label: string][] = [
    [probit(minRate), '0'],
    ...rates.map((rate): [number, string] => [probit(rate), rateLabel(rate)]),
  ];
  const customValues = labels.map(([deviate]) => deviate);
  // ECharts rounds the values that it passes to the formatter.
  const formatter = (value: number) => {
    const distances = customValues.map((deviate) => Math.abs(deviate - value));
    return labels[distances.indexOf(Math.min(...distances))]?.[1] ?? '';
  };
  return {
    min: probit(minRate),
    max: probit(MAX_RATE),
    axisTick: { customValues },
    splitLine: { show: false },
    axisLabel: { customValues, formatter, showMinLabel: true },
  };
}
