import type { Figures } from '../../analysis.ts';
import { isMeasured } from '../../operating-point.ts';
import { rateLabel } from '../words.ts';
import { bottomAxis, COLOURS, dots, drawSvg, leftAxis, line } from './canvas.ts';

/** TAR over FAR on a logarithmic axis; the range with too few impostor pairs is shaded. */
export function drawRoc(figures: Figures): string {
  const { roc, impostor_pairs: impostors, lowest_far: lowest, operating_points: points } = figures;
  const left = 10 ** Math.floor(Math.log10(1 / impostors));
  const curve = roc.filter(({ far }) => far > 0).map(({ far, tar }): [number, number] => [far, tar]);
  const tarWithoutFalseAccept = Math.max(0, ...roc.filter(({ far }) => far === 0).map(({ tar }) => tar));
  const [firstFar] = curve[0] as [number, number];
  const bottom = Math.max(0, Math.floor((tarWithoutFalseAccept - 0.05) * 10) / 10);
  const thresholds = points
    .filter(isMeasured)
    .map(({ far, tar }): [number, number] => [Math.max(far.rate, left), tar.rate]);
  const axisLabel = { formatter: rateLabel };
  return drawSvg('True accept rate over false accept rate', {
    xAxis: bottomAxis('false accept rate (FAR)', { type: 'log', min: left, max: 1, axisLabel }),
    yAxis: leftAxis('true accept rate (TAR)', { min: bottom, max: 1, axisLabel }),
    series: [
      line('measured', curve, COLOURS.genuine, {
        step: 'end',
        markArea: {
          silent: true,
          itemStyle: { color: COLOURS.shade },
          label: { position: 'insideBottomLeft', color: '#555', distance: 10 },
          data: [
            [
              { name: lowest < 1 ? 'too few impostor pairs' : '', xAxis: left },
              { xAxis: Math.min(1, lowest) },
            ],
          ],
        },
      }),
      line(
        'no false accept',
        [
          [left, tarWithoutFalseAccept],
          [firstFar, tarWithoutFalseAccept],
        ],
        COLOURS.neutral,
        { lineStyle: { type: 'dashed' } },
      ),
      dots('thresholds of the table', thresholds, COLOURS.impostor, { symbolSize: 9 }),
    ],
  });
}
