/**
 * Sides in pixels for which ArcFace's alignment is defined; a recogniser's input is a multiple of one of them.
 * Source: insightface, utils/face_align.py (estimate_norm).
 */
export const ALIGNMENT_SIDES = { narrow: 112, wide: 128 } as const;

/** Whether faces can be aligned to a square recogniser input of this side, in pixels. */
export function isAlignable(side: number): boolean {
  return side > 0 && (side % ALIGNMENT_SIDES.narrow === 0 || side % ALIGNMENT_SIDES.wide === 0);
}
