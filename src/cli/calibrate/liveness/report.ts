import type { LivenessCalibration } from '../../../packs/liveness/calibration-file.ts';
import type { Failure } from '../service/client.ts';
import { type Share, shareOf } from '../statistics/intervals.ts';
import type { ScoredPresentations } from './presentations.ts';
import {
  type ChosenThreshold,
  chooseThreshold,
  type RatesAtThreshold,
  ratesAt,
  type ScoresByClass,
  type Target,
} from './rates.ts';

/** The content of report.json. */
export interface LivenessReport {
  report_version: 1;
  /** ISO 8601, UTC. */
  created: string;
  source: string;
  model: { name: string; files: string[]; licence: string; service_version: string; pack: string };
  live_pictures: number;
  spoof_pictures: number;
  /** Pictures of each kind of spoofs. */
  kinds: Record<string, number>;
  copies: number;
  /** Shares without a score (non-response rates): of the spoofs, and of the live faces. */
  apnrr: Share;
  bpnrr: Share;
  chosen: ChosenThreshold;
  /** The BPCER at the APCERs that are usually reported. */
  operating_points: ChosenThreshold[];
  by_threshold: RatesAtThreshold[];
  failures: (Failure & { image: string })[];
  /** Live faces with the lowest scores, and spoofs with the highest. */
  look_at: { live: ReviewPicture[]; spoofs: ReviewPicture[] };
}

export interface ReviewPicture {
  image: string;
  score: number;
}

/** BPCER10, BPCER20 and BPCER100 of ISO/IEC 30107-3. */
const REPORTED_APCERS = [0.1, 0.05, 0.01];
const THRESHOLDS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99];
const PICTURES_TO_REVIEW = 10;

export type ReportHead = Pick<LivenessReport, 'source' | 'model'> & { target: Target };

/** @param scores of the presentations. */
export function describeLiveness(
  { scored, failed, copies }: ScoredPresentations,
  scores: ScoresByClass,
  { target, ...head }: ReportHead,
): LivenessReport {
  const live = scored.filter(({ kind }) => kind === undefined);
  const spoofs = scored.filter(({ kind }) => kind !== undefined);
  const failedLive = failed.filter(({ kind }) => kind === undefined).length;
  const failedSpoofs = failed.length - failedLive;
  const review = (list: typeof scored, sign: number) =>
    [...list]
      .sort((p, q) => sign * (p.score - q.score))
      .slice(0, PICTURES_TO_REVIEW)
      .map(({ name, score }) => ({ image: name, score }));
  return {
    report_version: 1,
    created: new Date().toISOString(),
    ...head,
    live_pictures: live.length,
    spoof_pictures: spoofs.length,
    kinds: Object.fromEntries([...scores.spoofs].map(([kind, { length }]) => [kind, length])),
    copies,
    apnrr: shareOf(failedSpoofs, spoofs.length + failedSpoofs),
    bpnrr: shareOf(failedLive, live.length + failedLive),
    chosen: chooseThreshold(scores, target),
    operating_points: REPORTED_APCERS.map((rate) => chooseThreshold(scores, { error: 'apcer', rate })),
    by_threshold: THRESHOLDS.map((threshold) => ratesAt(scores, threshold)),
    failures: failed.map(({ name: image, code, reason }) => ({ image, code, reason })),
    look_at: { live: review(live, 1), spoofs: review(spoofs, -1) },
  };
}

/** Sorts the scores by class and kind. */
export function scoresByClass({ scored }: Pick<ScoredPresentations, 'scored'>): ScoresByClass {
  const live: number[] = [];
  const spoofs = new Map<string, number[]>();
  for (const { kind, score } of [...scored].sort((p, q) => p.score - q.score)) {
    if (kind === undefined) live.push(score);
    else spoofs.set(kind, [...(spoofs.get(kind) ?? []), score]);
  }
  return { live, spoofs };
}

/** The content of liveness.json, which the service reads in the folder of a pack; undefined without a threshold. */
export function calibrationFile({
  chosen: { target, evidence, rates },
  created,
  source,
  model,
  live_pictures,
  spoof_pictures,
}: LivenessReport): LivenessCalibration | undefined {
  if (rates === undefined || evidence.rule === undefined) return undefined;
  const { threshold, apcer, bpcer, acer } = rates;
  return {
    liveness_version: 1,
    model: model.name,
    files: model.files,
    created,
    source,
    live_pictures,
    spoof_pictures,
    target: { ...target, evidence: evidence.rule },
    threshold,
    apcer: apcer.rate,
    apcer_interval: apcer.interval,
    bpcer: bpcer.rate,
    bpcer_interval: bpcer.interval,
    acer: acer.rate,
    acer_interval: acer.interval,
  };
}
