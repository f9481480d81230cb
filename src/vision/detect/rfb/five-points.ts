import type { Landmarks } from '../face.ts';

/**
 * Which of the 68 points of iBUG's scheme (counted from 0) each of the five landmarks is the mean of. An eye is the mean of its four
 * lid points, without its corners; a mouth corner that of the outer and the inner lip. "Left" is as seen in the picture.
 *
 * Source: Faceplugin-ltd/FaceRecognition-LivenessDetection-Javascript, lib/fr_feature.js.
 */
const POINTS_OF: readonly (readonly number[])[] = [
  [37, 38, 40, 41],
  [43, 44, 46, 47],
  [30],
  [48, 60],
  [54, 64],
];

/**
 * The five landmarks of 68 points.
 *
 * @param points x0, y0, x1, … of 68 points.
 * @returns left eye, right eye, nose, left and right mouth corner, in the same unit.
 */
export function fivePointsOf(points: Float32Array): Landmarks {
  const landmarks = new Float32Array(2 * POINTS_OF.length);
  for (const [index, sources] of POINTS_OF.entries()) {
    for (let axis = 0; axis < 2; axis++) {
      const sum = sources.reduce((total, point) => total + (points[2 * point + axis] as number), 0);
      landmarks[2 * index + axis] = sum / sources.length;
    }
  }
  return landmarks;
}
