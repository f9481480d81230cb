import type { CurvePoint } from '../../packs/thresholds.ts';
import { FarCurve, type RateInterval, rateOfOne, searchInterval } from '../../similarity/far-curve.ts';
import { isMeasured, type OperatingPoint } from './operating-point.ts';
import {
  type DrawnRate,
  drawSearches,
  fnirOf,
  fpirOf,
  type PersonPicture,
  type SearchDraws,
} from './statistics/search.ts';

/** Sizes of galleries that the report has thresholds for. */
const SIZES = [1, 10, 100, 1_000, 10_000];
/** Target false positive identification rates, descending. */
export const FPIRS = [0.1, 0.01, 0.001];

/** A threshold for a search among a number of people. */
export interface SearchPoint {
  /** The false positive identification rate aimed at. */
  target: number;
  /** At the false accept rate of one comparison that it takes. */
  point: OperatingPoint;
  /** 1 − (1 − FAR)^N at the threshold, from the measured curve. */
  computed?: RateInterval;
  /** By resampling the people: strangers who find somebody, enrolled people who are not found as themselves. */
  fpir?: DrawnRate;
  fnir?: DrawnRate | undefined;
}

export interface SearchFigures {
  sizes: { people: number; points: SearchPoint[] }[];
  /** With --gallery. */
  gallery?: {
    people: number;
    points: SearchPoint[];
    /** Undefined if the people cannot be resampled. */
    draws: number | undefined;
    /** Why there are no draws, as a sentence. */
    reason?: string;
  };
}

/**
 * @param pointAt the operating point at a false accept rate.
 * @param pictures undefined if it is not known whom they show.
 */
export function searchFigures({
  gallery,
  pictures,
  curve,
  seed,
  pointAt,
}: {
  gallery: number | undefined;
  pictures: readonly PersonPicture[] | undefined;
  curve: readonly CurvePoint[] | undefined;
  seed: number;
  pointAt: (far: number) => OperatingPoint;
}): SearchFigures {
  const rates = curve && new FarCurve(curve);
  const pointsOf = (people: number, draws?: SearchDraws) =>
    FPIRS.map((target) =>
      searchPoint({ target, people, rates, draws, point: pointAt(rateOfOne(target, people)) }),
    );
  const sizes = SIZES.map((people) => ({ people, points: pointsOf(people) }));
  if (gallery === undefined) return { sizes };
  const draws = pictures && drawSearches(pictures, gallery, seed);
  const asked = { people: gallery, points: pointsOf(gallery, draws), draws: draws?.count };
  if (draws) return { sizes, gallery: asked };
  const reason = pictures
    ? `Too few people to enrol ${gallery} of them and let others search: there are ${new Set(pictures.map(({ person }) => person)).size}.`
    : 'A table of pairs does not say whom each picture shows, so no gallery can be drawn from it; --identities does.';
  return { sizes, gallery: { ...asked, reason } };
}

function searchPoint({
  target,
  people,
  rates,
  draws,
  point,
}: {
  target: number;
  people: number;
  rates: FarCurve | undefined;
  draws: SearchDraws | undefined;
  point: OperatingPoint;
}): SearchPoint {
  if (!isMeasured(point)) return { target, point };
  const { cosine, similarity } = point.thresholds;
  return {
    target,
    point,
    ...(rates && { computed: searchInterval(rates.at(similarity), people) }),
    ...(draws && { fpir: fpirOf(draws, cosine), fnir: fnirOf(draws, cosine) }),
  };
}
