import { ANCHORS } from '../../src/onnx/scrfd-outputs.ts';
import { TEMPLATE, TEMPLATE_SIDE } from '../../tools/synthetic/detector.ts';
import type { ConvolutionOptions } from './convolution.ts';

type Change = NonNullable<ConvolutionOptions['change']>;

/** How the convolutions of a head are changed. */
export interface FixedFace {
  hidden(depth: number): Change | undefined;
  scores: Change;
  box: Change | undefined;
  landmarks: Change | undefined;
}

/** The stride whose head finds the face. */
const STRIDE = 32;
/** In pixels of the detector's input of 128 × 128: about where portraits have their face. */
const FACE = { left: 32, top: 28, side: 64 };
/** Of a score of 0.88. */
const FOUND = 2;
/** Of a score of 0.01, with which SCRFD's training begins. */
const NOT_FOUND = -4.6;
/** Far below all thresholds. */
const SUPPRESSED = -20;

/** Indices in a kernel of 3 × 3. */
const [ABOVE, LEFT, RIGHT] = [1, 3, 5];

/** Channels of the features that serve the fixed face. */
const COLUMNS_TO_THE_RIGHT = 0;
const CONSTANT = 1;

/** No anchor has a score that counts. */
export const NO_FACE: FixedFace = {
  hidden: () => undefined,
  scores: (_weights, bias) => {
    bias.fill(NOT_FOUND);
  },
  box: undefined,
  landmarks: undefined,
};

/**
 * Makes the detector find one face in every picture, by a few of its weights alone, so that the graph is that of a real detector:
 * random weights would find dozens of faces or none. The first anchor of the first cell has the face, and only in the pass at
 * 128 × 128, as a detector finds a large face. Zeros beyond the edges of the feature map tell that cell from the others, which
 * have neighbours on the left or above: a channel that is 1 everywhere gives a negative number for each neighbour. Another
 * channel is 1 in the neck, and each convolution moves it by one cell to the left, so that at the end it is 1 where there are
 * four more columns: the map of 128 pixels has four in all.
 *
 * @param depth hidden convolutions of the head.
 */
export function fixedFace(neck: number, head: number, depth: number): FixedFace {
  return {
    hidden: (index) => (weights, bias) => {
      const inputs = index === 0 ? neck : head;
      silence(weights, bias, inputs, COLUMNS_TO_THE_RIGHT);
      weights[at(COLUMNS_TO_THE_RIGHT, COLUMNS_TO_THE_RIGHT, inputs, RIGHT)] = 1;
      if (index < depth - 1) return;
      silence(weights, bias, inputs, CONSTANT);
      bias[CONSTANT] = 1;
    },
    scores: (weights, bias) => {
      bias.fill(NOT_FOUND);
      silence(weights, bias, head, 0);
      bias[0] = FOUND;
      weights[at(0, COLUMNS_TO_THE_RIGHT, head, RIGHT)] = SUPPRESSED;
      weights[at(0, CONSTANT, head, LEFT)] = SUPPRESSED;
      weights[at(0, CONSTANT, head, ABOVE)] = SUPPRESSED;
    },
    // Distances from the corner of the picture, in strides.
    box: fix(head, [-FACE.left, -FACE.top, FACE.left + FACE.side, FACE.top + FACE.side]),
    landmarks: fix(
      head,
      TEMPLATE.map((value, i) => (i % 2 === 0 ? FACE.left : FACE.top) + (value * FACE.side) / TEMPLATE_SIDE),
    ),
  };
}

/** The change of the last convolution of the neck at this stride, which gives the channel that is 1 everywhere. */
export function fixedFaceConstant(neck: number): Change {
  return (weights, bias) => {
    silence(weights, bias, neck, COLUMNS_TO_THE_RIGHT);
    bias[COLUMNS_TO_THE_RIGHT] = 1;
  };
}

/** Makes the outputs of the first anchor constant. @param pixels of the detector's input. */
function fix(inputs: number, pixels: readonly number[]): Change {
  return (weights, bias) => {
    if (bias.length !== pixels.length * ANCHORS) throw new Error('The values are not those of one anchor.');
    for (const [output, value] of pixels.entries()) {
      silence(weights, bias, inputs, output);
      bias[output] = value / STRIDE;
    }
  };
}

/** Zeros the weights and the bias of an output. */
function silence(weights: Float32Array, bias: Float32Array, inputs: number, output: number): void {
  weights.fill(0, at(output, 0, inputs, 0), at(output + 1, 0, inputs, 0));
  bias[output] = 0;
}

/** The index of a weight in [outputs, inputs, 3, 3]. */
function at(output: number, input: number, inputs: number, position: number): number {
  return (output * inputs + input) * 9 + position;
}
