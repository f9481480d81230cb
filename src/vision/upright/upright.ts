import { discardBytes } from '../../threads/garbage.ts';
import type { DetectedFace, Landmarks } from '../detect/face.ts';
import type { FaceDetector } from '../detect/face-detector.ts';
import type { Picture } from '../picture.ts';
import { TURNS, type Turn, turnPicture } from './turn.ts';

/*
 * Detectors learn from upright pictures. In one that is turned by a quarter or a half, SCRFD finds no face, or one with a low
 * score, in part with landmarks that lean as the face does. So a picture whose best face has a high score and stands upright is
 * left alone; which score is high differs between families. Any other is looked at in the three other orientations, in a coarse view that costs little; and what looks better
 * there is turned and searched in full, before it is believed.
 *
 * docs/DETECTION.md has the measurements that these numbers, and those of each family's ScoreScale, were chosen by.
 */

/** Degrees by which an upright face leans at most: beyond, a quarter turn brings it nearer to upright. */
const MAX_ROLL = 45;

/** Minimum score of a face in the coarse view, for the picture to be searched in that orientation. */
const MIN_COARSE_SCORE = 0.5;

/** A picture, and its faces, best score first. */
export interface SearchedPicture {
  picture: Picture;
  faces: DetectedFace[];
  /** How far the picture was turned, if it was. */
  rotation?: Turn;
}

/**
 * Turns a picture whose faces are not upright.
 *
 * @param detectFaces the search that found the faces.
 * @returns the same picture and faces, or the turned picture and the faces in it.
 */
export async function findUpright(
  { picture, faces }: SearchedPicture,
  detector: Pick<FaceDetector, 'scoreTurns' | 'scale'>,
  detectFaces: (picture: Picture) => Promise<DetectedFace[]>,
): Promise<SearchedPicture> {
  const [best] = faces;
  if (best && best.score >= detector.scale.upright && Math.abs(rollOf(best.landmarks)) <= MAX_ROLL)
    return { picture, faces };
  const needed = (best?.score ?? 0) + detector.scale.turnGain;
  const candidates = [
    bestTurn(await detector.scoreTurns(picture), Math.max(needed, MIN_COARSE_SCORE)),
    turnAgainst(faces),
  ];
  for (const rotation of new Set(candidates)) {
    if (rotation === undefined) continue;
    const turned = turnPicture(picture, rotation);
    const found = await detectFaces(turned);
    if (found[0] && found[0].score >= needed) return { picture: turned, faces: found, rotation };
    discardBytes(turned.data.length);
  }
  return { picture, faces };
}

/** @param scores the highest score after each turn. */
function bestTurn(scores: readonly number[], minScore: number): Turn | undefined {
  const highest = Math.max(...scores);
  return highest >= minScore ? TURNS[scores.indexOf(highest)] : undefined;
}

/**
 * The turn that the faces themselves ask for, which may be too small for the coarse view, as in a group photograph: that against
 * which a face leans by more than half a quarter, the one with the best score first. Several faces that all stand upright with
 * low scores are what SCRFD finds in a group that is upside down.
 */
function turnAgainst(faces: readonly DetectedFace[]): Turn | undefined {
  for (const { landmarks } of faces) {
    const roll = rollOf(landmarks);
    if (Math.abs(roll) <= MAX_ROLL) continue;
    if (Math.abs(roll) > 180 - MAX_ROLL) return 180;
    return roll > 0 ? 270 : 90;
  }
  return faces.length > 1 ? 180 : undefined;
}

/** Slope of the line from the left eye to the right one, -180..180; positive when the face leans clockwise. */
function rollOf(landmarks: Landmarks): number {
  const [leftX = 0, leftY = 0, rightX = 0, rightY = 0] = landmarks;
  return (Math.atan2(rightY - leftY, rightX - leftX) * 180) / Math.PI;
}
