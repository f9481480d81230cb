import { RFB_BOX_VALUES, RFB_CLASSES } from '../../../onnx/rfb-outputs.ts';
import type { FaceBox } from '../face.ts';
import { faceShareAt, softenedScore } from './scores.ts';

/** What the network gives for each anchor. */
export interface RfbOutputs {
  /** Shares of background and face. */
  scores: Float32Array;
  /** Left, top, right and bottom as shares of the input's width and height. They may lie outside of it. */
  boxes: Float32Array;
}

/** Pixels of the picture that the whole width and height of the input show. */
export interface ShownArea {
  width: number;
  height: number;
}

/** Relative rounding of a float32 score, by which no anchor is lost that reaches the threshold. */
const ROUNDING = 1e-6;

/**
 * The anchors whose scores reach the threshold.
 *
 * @param threshold minimum score, 0..1.
 * @param limit maximum number of candidates; the best are taken.
 * @returns best score first; boxes in pixels of the picture.
 */
export function readCandidates(
  { scores, boxes }: RfbOutputs,
  threshold: number,
  shown: ShownArea,
  limit: number,
): FaceBox[] {
  const minShare = faceShareAt(threshold) * (1 - ROUNDING);
  const found: { score: number; anchor: number }[] = [];
  for (let anchor = 0; anchor < scores.length / RFB_CLASSES; anchor++) {
    const face = scores[RFB_CLASSES * anchor + 1] as number;
    if (!(face >= minShare)) continue;
    const score = softenedScore(scores[RFB_CLASSES * anchor] as number, face);
    if (score >= threshold) found.push({ score, anchor });
  }
  found.sort((a, b) => b.score - a.score);
  return found.slice(0, limit).map(({ score, anchor }) => {
    const [left = 0, top = 0, right = 0, bottom = 0] = boxes.subarray(
      RFB_BOX_VALUES * anchor,
      RFB_BOX_VALUES * (anchor + 1),
    );
    const box = {
      left: left * shown.width,
      top: top * shown.height,
      right: right * shown.width,
      bottom: bottom * shown.height,
    };
    return { score, box };
  });
}

/** The highest softened score of all anchors. */
export function highestScore(scores: Float32Array): number {
  let best = 0;
  for (let at = 1; at < scores.length; at += RFB_CLASSES)
    if ((scores[at] as number) > (scores[best + 1] as number)) best = at - 1;
  return softenedScore(scores[best] as number, scores[best + 1] as number);
}
