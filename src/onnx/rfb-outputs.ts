/**
 * The two networks of a detector of the family `rfb`. Source: Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB, whose export to ONNX
 * decodes the boxes inside the graph, and Faceplugin-ltd/Open-Source-Face-Recognition-SDK for the network of the landmarks.
 */

/** Names of the outputs: for each anchor the shares of background and face, and left, top, right and bottom. */
export const RFB_OUTPUTS = ['scores', 'boxes'] as const;

/** The only size that the published graph takes: the positions of its anchors are constants in it. */
export const RFB_INPUT = { width: 320, height: 240 } as const;

/** Background and face. */
export const RFB_CLASSES = 2;

/** Left, top, right and bottom of one box, as shares of the input's width and height. */
export const RFB_BOX_VALUES = 4;

/** Side of the square grey picture of a face that the second network takes, in pixels. */
export const LANDMARK_INPUT_SIDE = 64;

/** x and y of the 68 points of iBUG's scheme, as shares of the side. */
export const LANDMARK_OUTPUT_VALUES = 2 * 68;
