import * as ort from 'onnxruntime-node';
import { LANDMARK_INPUT_SIDE, LANDMARK_OUTPUT_VALUES } from '../../../onnx/rfb-outputs.ts';
import type { Preprocessing } from '../../../packs/pack.ts';
import { warpFace } from '../../align/alignment.ts';
import type { Pixels } from '../../picture.ts';
import type { BoundingBox, Landmarks } from '../face.ts';
import { cropTransform, squareAround, writeGrey } from './face-crop.ts';
import { fivePointsOf } from './five-points.ts';

/** Finds the landmarks of a face in a grey crop of its box, by a network of its own. One face at a time: its buffers are reused. */
export class LandmarkFinder {
  readonly #session: ort.InferenceSession;
  readonly #preprocessing: Preprocessing;
  readonly #pixels = new Uint8Array(3 * LANDMARK_INPUT_SIDE ** 2);
  readonly #input = new Float32Array(LANDMARK_INPUT_SIDE ** 2);
  readonly #feeds: Record<string, ort.Tensor>;

  constructor(session: ort.InferenceSession, preprocessing: Preprocessing) {
    this.#session = session;
    this.#preprocessing = preprocessing;
    const [name = ''] = session.inputNames;
    const dims = [1, 1, LANDMARK_INPUT_SIDE, LANDMARK_INPUT_SIDE];
    this.#feeds = { [name]: new ort.Tensor('float32', this.#input, dims) };
  }

  /**
   * @returns the five landmarks in pixels of the picture.
   * @throws {Error} if the network does not give 68 points.
   */
  async find(picture: Pixels, box: BoundingBox): Promise<Landmarks> {
    const square = squareAround(box);
    warpFace(picture, cropTransform(square, LANDMARK_INPUT_SIDE), LANDMARK_INPUT_SIDE, this.#pixels);
    writeGrey(this.#pixels, this.#preprocessing, this.#input);
    const results = await this.#session.run(this.#feeds);
    const points = results[this.#session.outputNames[0] as string]?.data as Float32Array;
    if (points?.length !== LANDMARK_OUTPUT_VALUES)
      throw new Error("The detector's second network does not give the 68 points of a face.");
    return fivePointsOf(points).map(
      (share, index) => (index % 2 === 0 ? square.left : square.top) + share * square.side,
    );
  }
}
