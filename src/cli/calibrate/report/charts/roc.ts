import { rateLabel } from '../words.ts';
import { bottomAxis, COLOURS, drawSvg, leftAxis, line } from './canvas.ts';

/** TAR over FAR on a logarithmic axis, with the part that the data cannot carry shaded. */
export function drawRoc({ roc, impostor_pairs: impostors, lowest_far: lowest, operating_points: points }) {
  const left = 10 ** Math.floor(Math.log10(1 / impostors));
  const seen = roc.filter(({ far }) => far > 0).map(({ far, tar }) => [far, tar]);
  const beforeAny = Math.max(0, ...roc.filter(({ far }) => far === 0).map(({ tar }) => tar));
  const [firstFar] = seen[0];
  const bottom = Math.max(0, Math.floor((beforeAny - 0.05) * 10) / 10);
  const measured = points.filter(({ thresholds }) => thresholds);
  return drawSvg('True accept rate over false accept rate', {
    xAxis: bottomAxis('false accept rate (FAR)', {
      type: 'log',
      min: left,
      max: 1,
      axisLabel: { formatter: rateLabel },
    }),
    yAxis: leftAxis('true accept rate (TAR)', { min: bottom, max: 1, axisLabel: { formatter: rateLabel } }),
    series: [
      {
        ...line('measured', seen, COLOURS.genuine, { step: 'end' }),
        markArea: {
          silent: true,
          itemStyle: { color: COLOURS.shade },
          label: { position: 'insideBottomLeft', color: '#555', distance: 10 },
          data: [
            [
              { name: lowest < 1 ? 'too few impostor pairs to tell' : '', xAxis: left },
              { xAxis: Math.min(1, lowest) },
            ],
          ],
        },
      },
      line(
        'no false accept seen',
        [
          [left, beforeAny],
          [firstFar, beforeAny],
        ],
        COLOURS.neutral,
        {
          lineStyle: { type: 'dashed' },
        },
      ),
      {
        type: 'scatter',
        name: 'thresholds of the table',
        data: measured.map(({ far, tar }) => [Math.max(far.rate, left), tar.rate]),
        symbolSize: 9,
        itemStyle: { color: COLOURS.impostor },
        silent: true,
      },
    ],
  });
}
