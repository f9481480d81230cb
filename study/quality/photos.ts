import type { VisionTimes } from '../../src/observability/stages.ts';
import type { FaceFormat } from '../../src/vision/align/face-format.ts';
import type { FaceQuality } from '../../src/vision/quality/quality.ts';
import type { DegradationKind } from './embed/degradations.ts';

/** A photograph as it is, or one of its degraded versions. */
export interface VersionName {
  kind: DegradationKind | 'original';
  /** Strength of the degradation, 1 to 3; 0 for the original. */
  level: number;
}

/** A version in which the service finds a face. */
export interface MeasuredVersion extends VersionName {
  found: true;
  /** L2 norm 1. */
  embedding: Float32Array;
  quality: FaceQuality;
  detectionScore: number;
}

export type Version = MeasuredVersion | (VersionName & { found: false });

/** A face that left as an aligned face and came back as one. */
export interface ReturnedFace {
  /** Bytes of the file. */
  bytes: number;
  /** The cosine of its embedding to that of the photograph. */
  cosine: number;
}

/** A photograph and its degraded versions; the original comes first. */
export interface Photo {
  file: string;
  versions: Version[];
  /** Milliseconds of each stage, for the original; undefined if no face was found. */
  timings: VisionTimes | undefined;
  /** The original's face after it was returned and embedded again; undefined if no face was found. */
  returned: Record<FaceFormat, ReturnedFace> | undefined;
}

/** Decides which degraded versions take part. */
export type VersionFilter = (version: MeasuredVersion) => boolean;

/** The two sets of degraded versions that the study evaluates. */
export const MIXES = {
  all: () => true,
  /** The weakest level only: like ordinary photographs, slightly worse. */
  light: ({ level }) => level <= 1,
} as const satisfies Record<string, VersionFilter>;

export type Mix = keyof typeof MIXES;

export function measuredVersions(photos: readonly Photo[]): MeasuredVersion[] {
  return photos.flatMap(({ versions }) => versions.filter((version) => version.found));
}

/** LFW's file names consist of the name of the person and a number. */
export function personOf(file: string): string {
  return file.replace(/_\d+\.\w+$/, '');
}
