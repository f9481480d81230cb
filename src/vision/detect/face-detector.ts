import type { Pixels } from '../picture.ts';
import type { DetectedFace, FaceBox } from './face.ts';

export interface SearchOptions {
  /**
   * Called after each input size with the faces so far and the scale, input pixels per picture pixel; when it returns true,
   * the larger sizes are skipped.
   */
  isEnough?: (faces: readonly FaceBox[], scale: number) => boolean;
  /** Whether no other image is being processed (src/engine/inference-worker.ts). */
  coresIdle?: boolean;
  /**
   * Chooses those of the faces that are wanted; all if it is not given. A detector whose landmarks take a run for each face returns
   * no others.
   */
  choose?: (faces: readonly FaceBox[]) => readonly FaceBox[];
}

/** What a family's scores mean. They are not on one scale. */
export interface ScoreScale {
  /** From this score on, a face is upright: those in turned photographs reach less. */
  upright: number;
  /** By how much a face in another orientation must score higher, for the picture to be turned. */
  turnGain: number;
  /** Minimum score of a face at which a search at larger inputs is unnecessary (`detection=fast`). */
  confident: number;
}

/** What the pipeline knows of a detector, whatever its family. open-detector.ts makes one of a pack's files. */
export interface FaceDetector {
  readonly scale: ScoreScale;

  /**
   * Finds faces.
   *
   * @param threshold minimum score, 0..1.
   * @returns best score first; boxes and landmarks in pixels of the picture.
   */
  detectFaces(picture: Pixels, threshold: number, options?: SearchOptions): Promise<DetectedFace[]>;

  /**
   * Finds how sure the detector is of the best face in a coarse view of the picture, after each quarter turn clockwise.
   *
   * @returns the highest scores at 90, 180 and 270 degrees, 0..1; all 0 for a graph that takes no such view.
   */
  scoreTurns(picture: Pixels): Promise<[number, number, number]>;
}
