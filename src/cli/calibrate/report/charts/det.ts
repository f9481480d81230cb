import { probit } from '../../statistics/probit.ts';
import { rateLabel } from '../words.ts';
import { bottomAxis, COLOURS, drawSvg, leftAxis, line } from './canvas.ts';

const TICKS = [0.00001, 0.0001, 0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4];
const WORST = 0.5;

/** FRR over FAR, both as normal deviates. An error that was not seen lies on the edge marked 0. */
export function drawDet({ roc, genuine_pairs: genuine, impostor_pairs: impostors }) {
  // Half an error: below everything that can be measured.
  const least = { far: 0.5 / impostors, frr: 0.5 / genuine };
  const points = roc
    .map(({ far, tar }) => ({ far, frr: 1 - tar }))
    .filter(({ far, frr }) => far <= WORST && frr <= WORST)
    .map(({ far, frr }) => [probit(Math.max(far, least.far)), probit(Math.max(frr, least.frr))]);
  const [from, to] = [probit(Math.max(least.far, least.frr)), probit(WORST)];
  return drawSvg(
    'False reject rate over false accept rate, both as deviates of the normal distribution',
    {
      grid: { left: 72, right: 28, top: 48, bottom: 56 },
      xAxis: bottomAxis('false accept rate (FAR)', deviateAxis(least.far)),
      yAxis: leftAxis('false reject rate (FRR = 1 − TAR)', deviateAxis(least.frr)),
      series: [
        line('measured', points, COLOURS.genuine, { step: 'start' }),
        line(
          'both errors equal',
          [
            [from, from],
            [to, to],
          ],
          COLOURS.neutral,
          {
            lineStyle: { type: 'dashed', width: 1 },
          },
        ),
      ],
    },
    { square: true },
  );
}

function deviateAxis(least) {
  const rates = TICKS.filter((rate) => rate > 2 * least);
  const names = new Map([[probit(least), '0'], ...rates.map((rate) => [probit(rate), rateLabel(rate)])]);
  const customValues = [...names.keys()];
  return {
    min: probit(least),
    max: probit(WORST),
    axisTick: { customValues },
    splitLine: { show: false },
    axisLabel: { customValues, formatter: (value) => nearestName(names, value), showMinLabel: true },
  };
}

/** The axis hands its values back rounded. */
function nearestName(names, value) {
  const [, name] = [...names].reduce((best, entry) =>
    Math.abs(entry[0] - value) < Math.abs(best[0] - value) ? entry : best,
  );
  return name;
}
