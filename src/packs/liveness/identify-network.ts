import { basename } from 'node:path';
import { errorMessage } from '../../errors.ts';
import { readGraphSignature } from '../../onnx/graph-signature.ts';
import { parseModel } from '../../onnx/rewrite/parse-model.ts';
import { PackInvalidError } from '../pack-errors.ts';

/** Networks that are fed in the same way. */
export const LIVENESS_FAMILIES = ['minifasnet', 'facenox', 'insightface'] as const;

export type LivenessFamily = (typeof LIVENESS_FAMILIES)[number];

/** What a network's graph says about how it is fed. */
export interface LivenessNetwork {
  family: LivenessFamily;
  /** Sides of its crop, as a multiple of those of the face's box; undefined where the face is aligned by its landmarks. */
  boxes?: number;
}

/** The shapes of the families: sides of the input, and the output without the number of faces. */
const SHAPES = {
  minifasnet: { side: 80, output: [3] },
  facenox: { side: 128, output: [2] },
  insightface: { side: 80, output: [] },
} as const satisfies Record<LivenessFamily, { side: number; output: readonly number[] }>;

/** The input's name in OpenVINO's anti-spoof-mn3, which has the shapes of facenox, other means, and other deviations. */
const ANTI_SPOOF_MN3 = 'actual_input_1';

/**
 * Tells how a liveness network is fed, by its graph.
 *
 * minivision's pair consists of MiniFASNetV2, for crops of 2.7 boxes, and MiniFASNetV1SE, for crops of 4.0, which alone has gates
 * (squeeze and excitation, a sigmoid). Source: minivision-ai/Silent-Face-Anti-Spoofing, resources/anti_spoof_models. facenox takes
 * 1.5. Source: facenox/face-antispoof-onnx.
 *
 * @param path for the error.
 * @throws {PackInvalidError} when it is none that this service knows.
 */
export function identifyNetwork(bytes: Uint8Array, path: string): LivenessNetwork {
  try {
    const { inputs, outputs } = readGraphSignature(bytes);
    const [input, output] = [inputs[0], outputs[0]];
    const [, channels, height, width] = input?.dims ?? [];
    const family = LIVENESS_FAMILIES.find((name) => {
      const { side, output: dims } = SHAPES[name];
      return height === side && width === side && isSame(output?.dims?.slice(1), dims);
    });
    const isOther = inputs.length !== 1 || outputs.length !== 1 || channels !== 3;
    if (family === undefined || isOther || input?.name === ANTI_SPOOF_MN3) {
      throw new Error(
        `its input is ${shapeText(input?.dims)} and its output ${shapeText(output?.dims)}; known are MiniFASNet (80×80, three ` +
          'classes), facenox (128×128, two classes) and InsightFace’s (80×80, one probability)',
      );
    }
    if (family === 'insightface') return { family };
    if (family === 'facenox') return { family, boxes: 1.5 };
    const operators = [...parseModel(bytes).nodes.keys()].map(({ opType }) => opType);
    return { family, boxes: operators.includes('Sigmoid') ? 4 : 2.7 };
  } catch (error) {
    throw new PackInvalidError(
      `${basename(path)} is not a liveness network that this service knows: ${errorMessage(error).replace(/\.$/, '')}.`,
    );
  }
}

function isSame(dims: readonly (number | undefined)[] | undefined, expected: readonly number[]): boolean {
  return dims?.length === expected.length && expected.every((value, index) => dims[index] === value);
}

function shapeText(dims: readonly (number | undefined)[] | undefined): string {
  return dims ? `[${dims.map((value) => value ?? '?').join(', ')}]` : 'of unknown shape';
}
