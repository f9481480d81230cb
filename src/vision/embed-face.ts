import type { VisionStage } from '../observability/stages.ts';
import type { FaceFormat } from './align/face-format.ts';
import { encodeFaceImage } from './align/face-image.ts';
import type { DetectedFace } from './detect/face.ts';
import {
  type FaceLiveness,
  type LivenessModel,
  type LivenessOptions,
  livenessFailure,
} from './liveness/liveness-model.ts';
import type { Picture } from './picture.ts';
import { type FaceQuality, measureQuality, type PictureQuality } from './quality/quality.ts';
import { findLowQuality, type QualityLimits, type QualityReason } from './quality/quality-gate.ts';
import { type ScoreWeights, scoreQuality } from './quality/quality-score.ts';
import type { FaceRecogniser } from './recognise/recogniser.ts';

/** What to compute for each face besides its embedding. */
export interface FaceOptions extends QualityLimits {
  /** Whether to return the quality. */
  quality?: boolean;
  /** Whether to return the aligned face as an image. */
  returnFace?: boolean;
  /** Whether the face is scored for liveness, and refused if it is not live. */
  liveness?: LivenessOptions | undefined;
  /** The format of that image; JPEG by default. */
  faceFormat?: FaceFormat;
}

interface AssessedFace extends DetectedFace {
  /** The aligned face, a data URL; if requested. */
  image?: string;
  /** If requested; absent from a face below `minFaceSize`. */
  liveness?: FaceLiveness;
}

export interface EmbeddedFace extends AssessedFace {
  /** L2 norm 1. */
  embedding: Float32Array<ArrayBuffer>;
  /** If requested. */
  quality?: FaceQuality;
}

/** Why a face is refused. */
export interface LowQuality {
  /** The reasons, worst first; at least one. */
  lowQuality: QualityReason[];
  /** If requested; norm and score only for a face that was large enough to be embedded. */
  quality?: (PictureQuality & Partial<FaceQuality>) | undefined;
}

/** A face below a quality limit of the request. */
export interface LowQualityFace extends AssessedFace, LowQuality {}

/** A face that is not live, or cannot be scored, where the request requires a live one. It is not recognised. */
export interface NotLiveFace extends AssessedFace {
  /** Why, in words. */
  livenessFailure: string;
  /** If requested. */
  quality?: PictureQuality;
}

export type RefusedFace = LowQualityFace | NotLiveFace;

export interface FaceNetworks {
  recogniser: FaceRecogniser;
  /** The weights of the quality score for this recogniser. */
  scoreWeights: ScoreWeights;
  /** Undefined if none is configured. */
  liveness?: LivenessModel | undefined;
}

/** The circumstances of the run, which do not change the result. */
export interface RunContext {
  /** Whether no other image is being processed (src/engine/inference-worker.ts). */
  coresIdle: boolean;
  /** Called at the end of a stage. */
  lap: (stage: VisionStage) => void;
}

/**
 * From a detected face to its embedding: align, measure, score its liveness if requested, recognise. A face below `minFaceSize` is
 * not scored and not recognised, and one that is not live but has to be is not recognised.
 */
export async function embedFace(
  picture: Picture,
  face: DetectedFace,
  options: FaceOptions,
  { recogniser, scoreWeights, liveness: model }: FaceNetworks,
  { coresIdle, lap }: RunContext,
): Promise<EmbeddedFace | RefusedFace> {
  const aligned = recogniser.alignFace(picture, face.landmarks);
  const { liveness: asked } = options;
  let described: AssessedFace = options.returnFace
    ? { ...face, image: await encodeFaceImage(aligned, options.faceFormat) }
    : face;
  lap('align');
  const isLimited = options.minQuality !== undefined || options.minFaceSize !== undefined;
  const measured = options.quality || isLimited || asked ? measureQuality(aligned, face, picture) : undefined;
  lap('quality');
  const refuse = (quality: PictureQuality): LowQualityFace | undefined => {
    const lowQuality = findLowQuality(quality, options);
    if (lowQuality.length === 0) return undefined;
    return { ...described, lowQuality, ...(options.quality ? { quality } : {}) };
  };
  const tooSmall = measured && refuse(measured);
  if (tooSmall) return tooSmall;
  if (asked && measured) {
    if (model === undefined) throw new Error('Liveness is asked for, and no model of it is loaded.');
    const liveness = await model.assess(picture, face, measured, asked);
    lap('liveness');
    described = { ...described, liveness };
    const failure = asked.required ? livenessFailure(liveness, asked) : undefined;
    if (failure !== undefined) {
      return { ...described, livenessFailure: failure, ...(options.quality ? { quality: measured } : {}) };
    }
  }

  const { embedding, norm: embeddingNorm } = await recogniser.embedAligned(aligned, { coresIdle });
  lap('recognise');
  if (measured === undefined) return { ...described, embedding };
  const score = scoreQuality({ ...measured, embeddingNorm, detectionScore: face.score }, scoreWeights);
  const quality: FaceQuality = { ...measured, embeddingNorm, score };
  return refuse(quality) ?? { ...described, embedding, ...(options.quality ? { quality } : {}) };
}
