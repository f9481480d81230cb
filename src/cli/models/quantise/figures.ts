import type { Figures as PairFigures } from '../../calibrate/analysis.ts';
import { isMeasured } from '../../calibrate/operating-point.ts';
import type { ComparedFace, ComparedPicture } from './comparison.ts';
import type { Network } from './options.ts';
import { quantile } from './quantile.ts';
import type { SpeedFigures } from './speed.ts';

/** A pack is written only if its figures are within these, or if its user accepts that they are not. */
export const BOUNDS = {
  /** Faces missed and extra, as a share of the faces that the detector in float32 finds. */
  maxChangedFaces: 0.01,
  /** Median cosine of the embedding to that in float32, if only the detector is in 8 bits. */
  minDetectorCosine: 0.998,
  /** The same, if only the recogniser is. Stored embeddings become useless in any case, so this one is wider. */
  minRecogniserCosine: 0.98,
  /** How many times as fast the pack must be: less is not worth embedding all photographs again. */
  minGain: 1.2,
} as const;

export interface CosineFigures {
  median: number;
  low: number;
}

/** Everything that is measured. */
export interface Figures {
  pictures: number;
  faces: number;
  missed: number;
  extra: number;
  /** Median and 95th percentile, as shares of the diagonal of the box. */
  landmarkShift: { median: number; high: number };
  /** Median and 5th percentile, by what is in 8 bits. */
  cosine: Record<keyof ComparedFace['cosine'], CosineFigures>;
  speed: SpeedFigures;
  bytes: { float: number; int8: number };
  pairs?: { float: PairFigures; int8: PairFigures } | undefined;
}

/** Sums up what was measured on photographs. */
export function summarise(
  compared: readonly ComparedPicture[],
): Pick<Figures, 'pictures' | 'faces' | 'missed' | 'extra' | 'landmarkShift' | 'cosine'> {
  const sum = (pick: (picture: ComparedPicture) => number) =>
    compared.reduce((total, picture) => total + pick(picture), 0);
  const matched = compared.flatMap((picture) => picture.matched);
  const shifts = matched.map(({ landmarkShift }) => landmarkShift);
  const cosines = (part: keyof ComparedFace['cosine']): CosineFigures => {
    const values = matched.map(({ cosine }) => cosine[part]);
    return { median: quantile(values, 0.5), low: quantile(values, 0.05) };
  };
  return {
    pictures: compared.length,
    faces: sum(({ faces }) => faces),
    missed: sum(({ missed }) => missed),
    extra: sum(({ extra }) => extra),
    landmarkShift: { median: quantile(shifts, 0.5), high: quantile(shifts, 0.95) },
    cosine: { detector: cosines('detector'), recogniser: cosines('recogniser'), both: cosines('both') },
  };
}

/** @returns a sentence for each bound that the figures miss. */
export function missedBounds(figures: Figures, networks: readonly Network[]): string[] {
  const { faces, missed, extra, cosine, speed, pairs } = figures;
  const problems: string[] = [];
  if (networks.includes('detector')) {
    const changed = (missed + extra) / faces;
    if (!(changed <= BOUNDS.maxChangedFaces))
      problems.push(
        `${missed} faces missed and ${extra} extra of ${faces} are ${percent(changed)}; the bound is ${percent(BOUNDS.maxChangedFaces)}.`,
      );
    if (!(cosine.detector.median >= BOUNDS.minDetectorCosine))
      problems.push(cosineSentence('detector', cosine.detector.median, BOUNDS.minDetectorCosine));
  }
  if (networks.includes('recogniser') && !(cosine.recogniser.median >= BOUNDS.minRecogniserCosine))
    problems.push(cosineSentence('recogniser', cosine.recogniser.median, BOUNDS.minRecogniserCosine));
  if (!(speed.gain >= BOUNDS.minGain))
    problems.push(`It is ${speed.gain.toFixed(2)} times as fast; the bound is ${BOUNDS.minGain}.`);
  return pairs ? [...problems, ...worsePoints(pairs)] : problems;
}

/** Operating points at which fewer genuine pairs match than the interval of float32 allows. */
function worsePoints({ float, int8 }: NonNullable<Figures['pairs']>): string[] {
  return float.operating_points.flatMap((point, index) => {
    const other = int8.operating_points[index];
    if (!isMeasured(point)) return [];
    const lowest = point.tar.interval[0];
    const tar = other && isMeasured(other) ? other.tar.rate : 0;
    if (tar >= lowest) return [];
    return [
      `At a FAR of ${percent(point.target)} the TAR is ${percent(tar)}, below the interval of float32, which begins at ${percent(lowest)}.`,
    ];
  });
}

function cosineSentence(network: Network, measured: number, bound: number): string {
  return `With the ${network} in 8 bits, the median cosine to the embedding in float32 is ${measured.toFixed(4)}; the bound is ${bound}.`;
}

const percent = (share: number) => `${Number((100 * share).toPrecision(3))} %`;
