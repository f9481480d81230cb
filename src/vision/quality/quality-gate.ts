import type { FaceQuality, PictureQuality } from './quality.ts';
import { relativeDetail } from './quality-score.ts';

/** What can be low, in words that a user interface can show to the owner of the face. */
export const QUALITY_REASONS = [
  'too dark',
  'too bright',
  'low contrast',
  'too blurred',
  'come closer',
  'turn to the camera',
  'face cut off',
  'face hard to recognise',
] as const;

export type QualityReason = (typeof QUALITY_REASONS)[number];

/** What a request asks of a face; an absent limit asks nothing. */
export interface QualityLimits {
  /** Least score, 0..1. */
  minQuality?: number | undefined;
  /** Least shorter side of the box, in pixels of the picture. */
  minFaceSize?: number | undefined;
}

interface Shortcoming {
  reason: QualityReason;
  measure: (quality: PictureQuality) => number;
  /** Where the reason begins to be one. */
  fine: number;
  /** Where it could hardly be worse. */
  bad: number;
}

/**
 * They find the words for a refusal, and never refuse. The limits lie between the photographs of the study as they
 * were and as they had been degraded; docs/QUALITY.md tells how often the words are right.
 */
const SHORTCOMINGS: readonly Shortcoming[] = [
  { reason: 'too dark', measure: ({ brightness }) => brightness, fine: 0.15, bad: 0.04 },
  { reason: 'too bright', measure: ({ brightness }) => brightness, fine: 0.7, bad: 0.85 },
  // For its brightness: a dark picture has little contrast, too, but more contrast is not what it needs.
  {
    reason: 'low contrast',
    measure: ({ contrast, brightness }) => contrast / brightness,
    fine: 0.15,
    bad: 0.03,
  },
  // In powers of ten, as each step of blur takes a share of the detail.
  { reason: 'too blurred', measure: (quality) => Math.log10(relativeDetail(quality)), fine: -1.7, bad: -2.7 },
  { reason: 'come closer', measure: ({ size }) => size, fine: 32, bad: 10 },
  { reason: 'turn to the camera', measure: angleFromCamera, fine: 30, bad: 60 },
  { reason: 'face cut off', measure: ({ margin }) => margin, fine: 0.85, bad: 0.5 },
];

/**
 * Why a face is refused, worst first; nothing when it is not. A score that is not there yet refuses nothing, so that a
 * face that is too small need not be embedded first.
 */
export function findLowQuality(
  quality: PictureQuality & Partial<Pick<FaceQuality, 'score'>>,
  { minQuality, minFaceSize }: QualityLimits,
): QualityReason[] {
  const isSmall = minFaceSize !== undefined && quality.size < minFaceSize;
  const isPoor = minQuality !== undefined && quality.score !== undefined && quality.score < minQuality;
  if (!isSmall && !isPoor) return [];
  // Who asks for a size alone is told of the size alone.
  const seen = minQuality === undefined ? [] : shortcomingsOf(quality);
  const reasons = isSmall
    ? ['come closer' as const, ...seen.filter((reason) => reason !== 'come closer')]
    : seen;
  return reasons.length > 0 ? reasons : ['face hard to recognise'];
}

/** Worst first. */
function shortcomingsOf(quality: PictureQuality): QualityReason[] {
  return SHORTCOMINGS.map(({ reason, measure, fine, bad }) => ({
    reason,
    shortfall: Math.min(1, (fine - measure(quality)) / (fine - bad)),
  }))
    .filter(({ shortfall }) => shortfall > 0)
    .sort((p, q) => q.shortfall - p.shortfall)
    .map(({ reason }) => reason);
}

/** Between the direction of the nose and that of the camera, in degrees, as yaw and pitch together make it. */
function angleFromCamera({ pose }: PictureQuality): number {
  const cosine = Math.cos(radians(pose.yaw)) * Math.cos(radians(pose.pitch));
  return (Math.acos(cosine) * 180) / Math.PI;
}

const radians = (degrees: number) => (degrees * Math.PI) / 180;
