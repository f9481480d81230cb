import type { FaceQuality, PictureQuality } from './quality.ts';
import { relativeDetail } from './quality-score.ts';

/** Reasons for low quality, in words that a user interface can show to the person in the picture. */
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

/** The reasons for programs, by the words. */
export const REASON_CODES = {
  'too dark': 'TOO_DARK',
  'too bright': 'TOO_BRIGHT',
  'low contrast': 'LOW_CONTRAST',
  'too blurred': 'TOO_BLURRED',
  'come closer': 'TOO_SMALL',
  'turn to the camera': 'TURNED_AWAY',
  'face cut off': 'CUT_OFF',
  'face hard to recognise': 'HARD_TO_RECOGNISE',
} as const satisfies Record<QualityReason, string>;

/** A request's requirements for a face; an absent limit does not apply. */
export interface QualityLimits {
  /** Minimum score, 0..1. */
  minQuality?: number | undefined;
  /** Minimum shorter side of the box, in pixels of the picture. */
  minFaceSize?: number | undefined;
}

interface Shortcoming {
  reason: QualityReason;
  measure: (quality: PictureQuality) => number;
  /** The measure at which the shortcoming begins. */
  fine: number;
  /** The measure at which the shortcoming is complete. */
  bad: number;
}

/**
 * These explain a refusal; they never cause one. The limits lie between the study's photographs before and after they were
 * degraded; docs/QUALITY.md states how often the reasons are right.
 */
const SHORTCOMINGS: readonly Shortcoming[] = [
  { reason: 'too dark', measure: ({ brightness }) => brightness, fine: 0.15, bad: 0.04 },
  { reason: 'too bright', measure: ({ brightness }) => brightness, fine: 0.7, bad: 0.85 },
  // Relative to brightness: a dark picture has little contrast too, but needs light, not contrast.
  {
    reason: 'low contrast',
    measure: ({ contrast, brightness }) => contrast / brightness,
    fine: 0.15,
    bad: 0.03,
  },
  // In powers of ten, since each step of blur removes a share of the detail.
  { reason: 'too blurred', measure: (quality) => Math.log10(relativeDetail(quality)), fine: -1.7, bad: -2.7 },
  { reason: 'come closer', measure: ({ size }) => size, fine: 32, bad: 10 },
  { reason: 'turn to the camera', measure: angleFromCamera, fine: 30, bad: 60 },
  { reason: 'face cut off', measure: ({ margin }) => margin, fine: 0.85, bad: 0.5 },
];

/**
 * Finds the reasons to refuse a face. Without a score, only the size is checked, so that a face that is too small is refused
 * before it is embedded.
 *
 * @returns the reasons, worst first; empty if the face is not refused.
 */
export function findLowQuality(
  quality: PictureQuality & Partial<Pick<FaceQuality, 'score'>>,
  { minQuality, minFaceSize }: QualityLimits,
): QualityReason[] {
  const isSmall = minFaceSize !== undefined && quality.size < minFaceSize;
  const isPoor = minQuality !== undefined && quality.score !== undefined && quality.score < minQuality;
  if (!isSmall && !isPoor) return [];
  // A request that limits only the size gets only the size as a reason.
  const shortcomings = minQuality === undefined ? [] : shortcomingsOf(quality);
  const reasons = isSmall
    ? ['come closer' as const, ...shortcomings.filter((reason) => reason !== 'come closer')]
    : shortcomings;
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

/** The angle between the face's direction and the camera, in degrees, from yaw and pitch. */
function angleFromCamera({ pose }: PictureQuality): number {
  const cosine = Math.cos(radians(pose.yaw)) * Math.cos(radians(pose.pitch));
  return (Math.acos(cosine) * 180) / Math.PI;
}

const radians = (degrees: number) => (degrees * Math.PI) / 180;
