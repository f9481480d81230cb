/** Edges in pixels of the picture; they may lie outside it. */
export interface BoundingBox {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export interface FaceBox {
  box: BoundingBox;
  /** 0..1. */
  score: number;
}

/** Left eye, right eye, nose, left and right mouth corner, as seen in the picture: x0, y0, x1, y1, … in pixels. */
export type Landmarks = Float32Array;

export interface DetectedFace extends FaceBox {
  landmarks: Landmarks;
}
