/**
 * The outputs of an SCRFD detector with landmarks: scores of each stride, then boxes, then landmarks. Source:
 * insightface, model_zoo/scrfd.py.
 */

/** Input pixels for each cell of a feature map, for the three feature maps. */
export const STRIDES = [8, 16, 32] as const;

/** Scores, boxes and landmarks. */
export const OUTPUT_KINDS = 3;

/** Anchors at each cell of a feature map. */
export const ANCHORS = 2;

/** Values of one box: distances to its left, top, right and bottom edge. */
export const BOX_VALUES = 4;

/** Values of one face's landmarks: x and y of five points. */
export const LANDMARK_VALUES = 10;
