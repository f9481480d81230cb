import { ServiceError } from '../errors.ts';
import {
  FarCurve,
  type FarPoint,
  type RateInterval,
  rateOfOne,
  roundRate,
  searchInterval,
  searchRate,
} from './far-curve.ts';

/** What is known of the false accept rates of a loaded model: plain data, which can be sent to another thread. */
export interface FarEvidence {
  /** The embeddings that it holds for. */
  embeddingSpace: string;
  embeddingSize: number;
  /** From {@link packPoints}; absent if there are no figures. */
  points?: Float64Array | undefined;
  /** Whether the figures come with the service, and not from photographs of its operator. */
  provisional: boolean;
}

/** The options of a comparison that concern rates. */
export interface FarOptions {
  max_far?: number | undefined;
  max_fpir?: number | undefined;
  allow_provisional?: boolean | undefined;
}

/** What a comparison compares. */
export interface ComparedEmbeddings {
  /** The space that the request names. */
  space: string | undefined;
  /** Numbers of an embedding; undefined if there are only pictures. */
  length: number | undefined;
  /** The comparisons of a query. */
  references: number;
  /** The most of them that are with one person; 1 by default. */
  most?: number | undefined;
}

/** The rates of the matches of one comparison. */
export interface FarScale {
  provisional: boolean;
  /** Of one comparison. */
  far: (similarity: number) => RateInterval;
  /** Of the search, from the rate of the nearest comparison. */
  fpir: (far: RateInterval) => RateInterval;
  /** The verdict of `max_far` or `max_fpir` on the rate of a match and that of its comparison; undefined without either. */
  accepts: ((ofMatch: RateInterval, ofOne: RateInterval) => boolean) | undefined;
}

/**
 * The rates of a comparison.
 *
 * @param evidence undefined while no model is loaded.
 * @returns undefined if there are no figures for what is compared, and none are asked for.
 * @throws {ServiceError} if the request asks for a rate: INVALID_REQUEST when the figures do not carry it, MODEL_NOT_LOADED
 *   while it is not known which figures there are.
 */
export function farScaleOf(
  options: FarOptions,
  evidence: FarEvidence | undefined,
  compared: ComparedEmbeddings,
): FarScale | undefined {
  const { max_far, max_fpir } = options;
  const { references, most = 1 } = compared;
  const name = max_far !== undefined ? 'max_far' : max_fpir !== undefined ? 'max_fpir' : undefined;
  if (evidence === undefined) {
    if (name !== undefined) throw new ServiceError('MODEL_NOT_LOADED');
    return undefined;
  }
  const obstacle = obstacleTo(options, evidence, compared);
  if (obstacle !== undefined || evidence.points === undefined) {
    if (name === undefined) return undefined;
    throw new ServiceError('INVALID_REQUEST', { detail: `${name}: ${obstacle}` });
  }
  const curve = curveOf(evidence.points);
  const asked =
    max_far !== undefined
      ? most > 1
        ? rateOfOne(max_far, most)
        : max_far
      : max_fpir && references > 0
        ? rateOfOne(max_fpir, references)
        : undefined;
  if (asked !== undefined && asked < curve.lowest) throw tooLow(options, curve.lowest, references, most);
  const fpir = (far: RateInterval) => searchInterval(far, references);
  return {
    provisional: evidence.provisional,
    far: (similarity) => curve.at(similarity),
    fpir,
    accepts: acceptsOf(options, fpir),
  };
}

/** Why there are no figures for a comparison, as the end of a sentence. */
function obstacleTo(
  { allow_provisional }: FarOptions,
  { embeddingSpace, embeddingSize, points, provisional }: FarEvidence,
  { space, length }: ComparedEmbeddings,
): string | undefined {
  if (space !== undefined && space !== embeddingSpace) {
    return `the service knows rates of ${embeddingSpace} only, the embeddings are of ${space}`;
  }
  if (length !== undefined && length !== embeddingSize) {
    return `the service knows rates of embeddings with ${embeddingSize} numbers only, these have ${length}`;
  }
  if (points === undefined) {
    return `no rates are measured for ${embeddingSpace}; npm run calibrate measures them (docs/THRESHOLDS.md)`;
  }
  if (provisional && !allow_provisional) {
    return (
      `for ${embeddingSpace} there are provisional figures only, of other photographs than yours; npm run calibrate measures ` +
      'yours, allow_provisional=true accepts these (docs/THRESHOLDS.md)'
    );
  }
  return undefined;
}

function tooLow(
  { max_far, max_fpir }: FarOptions,
  lowest: number,
  references: number,
  most: number,
): ServiceError {
  const ofNearest =
    most > 1 ? `${roundUp(searchRate(lowest, most))} for ${most} embeddings of one person` : lowest;
  const detail =
    max_far !== undefined
      ? `max_far: ${max_far} is less than the measured pairs can show; the lowest is ${ofNearest}`
      : `max_fpir: ${max_fpir} among ${references} references takes a FAR of ` +
        `${roundRate(rateOfOne(max_fpir as number, references))}, less than the measured pairs can show; the lowest max_fpir among ` +
        `${references} references is ${roundUp(searchRate(lowest, references))} (a FAR of ${lowest})`;
  return new ServiceError('INVALID_REQUEST', { detail });
}

/** A rate that the service names as the lowest must be accepted. */
function roundUp(rate: number): number {
  const rounded = roundRate(rate);
  return rounded >= rate ? rounded : Math.min(1, roundRate(rate * 1.0002));
}

/** The verdict is about the rates that the answer shows. */
function acceptsOf(
  { max_far, max_fpir }: FarOptions,
  fpir: (far: RateInterval) => RateInterval,
): FarScale['accepts'] {
  // Without an estimate the rate is below the lowest one, which has been compared with the maximum.
  if (max_far !== undefined) return ({ estimate = 0 }) => estimate <= max_far;
  if (max_fpir !== undefined) return (_, one) => (fpir(one).estimate ?? 0) <= max_fpir;
  return undefined;
}

/** Numbers of a point in {@link packPoints}. */
const ROW = 4;

/** Points in one array, which goes to another thread in no time. */
export function packPoints(points: readonly FarPoint[]): Float64Array {
  return Float64Array.from(
    points.flatMap(({ score, far, low, high }) => [score, far ?? Number.NaN, low ?? Number.NaN, high]),
  );
}

/** The inverse of {@link packPoints}. */
export function unpackPoints(rows: Float64Array): FarPoint[] {
  return Array.from({ length: rows.length / ROW }, (_, index) => {
    const [score = 0, far = 0, low = 0, high = 0] = rows.subarray(index * ROW, (index + 1) * ROW);
    return Number.isNaN(far) ? { score, high } : { score, far, low, high };
  });
}

/** Kept as long as the points: building a curve takes longer than a small comparison. */
const curves = new WeakMap<Float64Array, FarCurve>();

function curveOf(rows: Float64Array): FarCurve {
  const known = curves.get(rows);
  if (known) return known;
  const curve = new FarCurve(unpackPoints(rows));
  curves.set(rows, curve);
  return curve;
}
