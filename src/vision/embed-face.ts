import type { VisionStage } from '../observability/stages.ts';
import { encodeFaceImage } from './align/face-image.ts';
import type { Picture } from './decode/decode.ts';
import type { DetectedFace } from './detect/detector.ts';
import { type FaceQuality, measureQuality, type PictureQuality } from './quality/quality.ts';
import { findLowQuality, type QualityLimits, type QualityReason } from './quality/quality-gate.ts';
import { type ScoreWeights, scoreQuality } from './quality/quality-score.ts';
import type { FaceRecogniser } from './recognise/recogniser.ts';

/** What is wanted of each face beside its embedding. */
export interface FaceOptions extends QualityLimits {
  /** Whether the quality is told. */
  quality?: boolean;
  /** Whether the aligned face is given as a picture. */
  returnFace?: boolean;
}

interface AssessedFace extends DetectedFace {
  /** The aligned face, a JPEG data URL; where it was asked for. */
  image?: string;
}

export interface EmbeddedFace extends AssessedFace {
  /** L2 norm 1. */
  embedding: Float32Array<ArrayBuffer>;
  /** Where it was asked for. */
  quality?: FaceQuality;
}

/** A face that is below a limit of the request. */
export interface RefusedFace extends AssessedFace {
  /** What was low, worst first; at least one. */
  lowQuality: QualityReason[];
  /** Where it was asked for; norm and score only of a face that was large enough to be embedded. */
  quality?: PictureQuality & Partial<FaceQuality>;
}

export interface FaceNetworks {
  recogniser: FaceRecogniser;
  /** How the score of this recogniser's faces is made. */
  scoreWeights: ScoreWeights;
}

/** How a face is embedded, other than by what its caller wants. */
export interface FaceWork {
  /** Whether no other picture is at work. */
  alone: boolean;
  /** Is called when a stage has ended. */
  lap: (stage: VisionStage) => void;
}

/** From a detected face to its embedding: align, measure, recognise. A face below `minFaceSize` is not recognised. */
export async function embedFace(
  picture: Picture,
  face: DetectedFace,
  options: FaceOptions,
  { recogniser, scoreWeights }: FaceNetworks,
  { alone, lap }: FaceWork,
): Promise<EmbeddedFace | RefusedFace> {
  const aligned = recogniser.alignFace(picture, face.landmarks);
  const told = options.returnFace ? { ...face, image: await encodeFaceImage(aligned) } : face;
  lap('align');
  const isMeasured = options.quality || options.minQuality !== undefined || options.minFaceSize !== undefined;
  const measured = isMeasured ? measureQuality(aligned, face, picture) : undefined;
  lap('quality');
  const refuse = (quality: PictureQuality): RefusedFace | undefined => {
    const lowQuality = findLowQuality(quality, options);
    if (lowQuality.length === 0) return undefined;
    return { ...told, lowQuality, ...(options.quality ? { quality } : {}) };
  };
  const tooSmall = measured && refuse(measured);
  if (tooSmall) return tooSmall;

  const { embedding, norm: embeddingNorm } = await recogniser.embedAligned(aligned, { alone });
  lap('recognise');
  if (measured === undefined) return { ...told, embedding };
  const score = scoreQuality({ ...measured, embeddingNorm, detectionScore: face.score }, scoreWeights);
  const quality: FaceQuality = { ...measured, embeddingNorm, score };
  return refuse(quality) ?? { ...told, embedding, ...(options.quality ? { quality } : {}) };
}
