import { isMeasured } from '../../calibrate/operating-point.ts';
import { percent, rateLabel, shareWithInterval } from '../../calibrate/report/words.ts';
import type { CosineFigures, Figures } from './figures.ts';
import type { Network } from './options.ts';

/** The figures as text for a terminal. */
export function figuresAsText(figures: Figures, networks: readonly Network[]): string {
  const { pictures, faces, missed, extra, landmarkShift, cosine, speed, bytes, pairs } = figures;
  const lines = [`Measured on ${pictures} photographs that were not used to calibrate, with ${faces} faces:`];
  if (networks.includes('detector'))
    lines.push(
      `  faces       missed ${missed}, extra ${extra}`,
      `  landmarks   move by ${share(landmarkShift.median)} of the diagonal of the face in the median, ${share(landmarkShift.high)} at 95 %`,
      cosineLine('detector', cosine.detector),
    );
  if (networks.includes('recogniser')) lines.push(cosineLine('recogniser', cosine.recogniser));
  if (networks.length > 1) lines.push(cosineLine('both', cosine.both));
  lines.push(
    `  speed       detector ${times(speed.detector)}; recogniser ${times(speed.recogniser)}; a photograph with one face ` +
      `${speed.gain.toFixed(2)} times as fast, on one thread`,
    `  size        ${megabytes(bytes.float)} becomes ${megabytes(bytes.int8)}`,
  );
  return [...lines, ...pairLines(pairs)].join('\n');
}

function pairLines(pairs: Figures['pairs']): string[] {
  if (pairs === undefined) return [];
  const { float, int8 } = pairs;
  const points = float.operating_points.flatMap((point, index) => {
    const other = int8.operating_points[index];
    if (!isMeasured(point) || !other || !isMeasured(other)) return [];
    const label = `TAR at FAR ${rateLabel(point.target)}`;
    return [`  ${label}   float32 ${shareWithInterval(point.tar)}; 8 bits ${shareWithInterval(other.tar)}`];
  });
  return [
    `Measured on ${float.genuine_pairs} genuine and ${float.impostor_pairs} impostor pairs:`,
    ...points,
    `  best accuracy   float32 ${percent(float.best_accuracy.accuracy)}; 8 bits ${percent(int8.best_accuracy.accuracy)}`,
  ];
}

const cosineLine = (what: string, { median, low }: CosineFigures) =>
  `  embeddings  with ${what} in 8 bits: cosine to float32 ${median.toFixed(4)} in the median, ${low.toFixed(4)} at 5 %`;

const share = (value: number) => `${Number((100 * value).toPrecision(2))} %`;

const times = ({ float, int8 }: { float: number; int8: number }) =>
  `${float.toFixed(1)} ms becomes ${int8.toFixed(1)} (${(float / int8).toFixed(2)} times as fast)`;

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
