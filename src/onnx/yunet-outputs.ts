/**
 * The outputs of a YuNet detector, by name. Source: opencv, modules/objdetect/src/face_detect.cpp, and the networks of OpenCV's
 * model zoo.
 */

/** Input pixels for each cell of a feature map, for the three feature maps. */
export const YUNET_STRIDES = [8, 16, 32] as const;

/** Score of a face, score of anything at all, box and landmarks. */
export const YUNET_OUTPUT_KINDS = ['cls', 'obj', 'bbox', 'kps'] as const;

/** Values of one box: x and y of its centre, width and height. */
export const YUNET_BOX_VALUES = 4;

/** Values of one face's landmarks: x and y of five points. */
export const YUNET_LANDMARK_VALUES = 10;

export function yunetOutputName(kind: (typeof YUNET_OUTPUT_KINDS)[number], stride: number): string {
  return `${kind}_${stride}`;
}

/** The names of all twelve outputs. Graphs list them in an order of their own. */
export const YUNET_OUTPUTS: readonly string[] = YUNET_OUTPUT_KINDS.flatMap((kind) =>
  YUNET_STRIDES.map((stride) => yunetOutputName(kind, stride)),
);
