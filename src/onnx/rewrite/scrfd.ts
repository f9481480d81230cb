/** What each anchor of an SCRFD detector with landmarks answers. Source: insightface, model_zoo/scrfd.py. */

/** Anchors at each cell of a feature map, one after the other. */
export const ANCHORS = 2;

/** Distances to the left, top, right and bottom edge of a box. */
export const BOX_VALUES = 4;

/** x and y of five landmarks. */
export const LANDMARK_VALUES = 10;
