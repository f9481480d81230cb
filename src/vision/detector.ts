import * as ort from 'onnxruntime-node';
import type { Landmarks } from './alignment.ts';
import type { Pixels } from './decode.ts';
import { Letterbox } from './letterbox.ts';
import { suppressOverlaps } from './nms.ts';
import { Turns } from './turns.ts';

/** Edges in pixels of the picture; they may lie outside it. */
export interface BoundingBox {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export interface DetectedFace {
  box: BoundingBox;
  /** 0..1. */
  score: number;
  landmarks: Landmarks;
}

interface SearchOptions {
  /**
   * Is asked after each size, with the faces so far and the input's pixels for one of the picture's; when it agrees, the
   * larger sizes are left out.
   */
  isEnough?: (faces: DetectedFace[], scale: number) => boolean;
  /** Whether the cores have nothing else to do. */
  alone?: boolean;
}

/** SCRFD's feature map strides and the anchors at each cell. Source: insightface, model_zoo/scrfd.py. */
const STRIDES = [8, 16, 32];
const ANCHORS = 2;

/** Least input size at which more threads pay off: at 128 they gain nothing. */
const LONE_SESSION_SIZE = 256;

/**
 * SCRFD: an anchor-free face detector with a score, a box and five landmarks for two anchors at each cell of three
 * feature maps (Guo et al., "Sample and Computation Redistribution for Efficient Face Detection", 2021).
 */
export class FaceDetector {
  readonly #session: ort.InferenceSession;
  readonly #loneSession: ort.InferenceSession;
  /** Smallest first. */
  readonly #inputs: DetectorInput[];
  /**
   * One picture at a time: all share the inputs and outputs, and between filling one and reading the other the thread may
   * turn to another picture, as ONNX Runtime's run() begins later than it is called. SCRFD's graphs take one picture a
   * run, so pictures are not batched either; only their faces are.
   */
  readonly #turns = new Turns();

  constructor(
    session: ort.InferenceSession,
    options: {
      sizes: readonly number[];
      preprocessing: { mean: number; std: number };
      /** The same graph on more threads, for when the cores have nothing else to do. */
      loneSession?: ort.InferenceSession | undefined;
    },
  ) {
    this.#session = session;
    this.#loneSession = options.loneSession ?? session;
    this.#inputs = options.sizes
      .toSorted((a, b) => a - b)
      .map((size) => this.#prepareInput(new Letterbox(size, options.preprocessing)));
  }

  /**
   * Finds faces at every input size, small ones first, and merges them under one suppression, as InsightFace does.
   *
   * @param threshold least score, 0..1.
   * @returns best score first.
   */
  async detectFaces(
    picture: Pixels,
    threshold: number,
    options: SearchOptions = {},
  ): Promise<DetectedFace[]> {
    const turn = this.#turns.take();
    if (turn) await turn;
    try {
      return await this.#search(picture, threshold, options);
    } finally {
      this.#turns.pass();
    }
  }

  async #search(
    picture: Pixels,
    threshold: number,
    { isEnough, alone = false }: SearchOptions,
  ): Promise<DetectedFace[]> {
    const candidates: DetectedFace[] = [];
    let faces: DetectedFace[] = [];
    for (const input of this.#inputs) {
      const { size } = input.letterbox;
      const scale = input.letterbox.fit(picture);
      const session = alone && size >= LONE_SESSION_SIZE ? this.#loneSession : this.#session;
      const outputs = await this.#run(session, input);
      for (const [level, stride] of STRIDES.entries()) {
        collectCandidates(outputs, { level, stride, size, scale, threshold }, candidates);
      }
      candidates.sort((a, b) => b.score - a.score);
      faces = suppressOverlaps(candidates);
      if (isEnough?.(faces, scale)) break;
    }
    return faces;
  }

  /** @returns nine arrays: scores of the three strides, then boxes, then landmarks. The next run may overwrite them. */
  async #run(session: ort.InferenceSession, input: DetectorInput): Promise<readonly Float32Array[]> {
    const { outputNames } = session;
    const results = await session.run(input.feeds, input.outputs);
    const tensors = outputNames.map((name) => results[name] as ort.Tensor);
    if (input.outputs === undefined) {
      assertOutputs(tensors, input.letterbox.size);
      input.outputs = this.#keepOutputs(tensors);
    }
    return outputNames.map((name) => (input.outputs?.[name] ?? results[name])?.data as Float32Array);
  }

  /**
   * Memory that ONNX Runtime writes its outputs to from now on, instead of a megabyte of new arrays for each picture.
   * It insists on the shapes that the file declares, and SCRFD's files declare those of one input size only.
   */
  #keepOutputs(tensors: readonly ort.Tensor[]): Record<string, ort.Tensor> {
    const { outputNames, outputMetadata } = this.#session;
    const asDeclared = tensors.every(({ dims }, index) => {
      const declared = outputMetadata[index];
      return (
        declared?.isTensor &&
        declared.shape.length === dims.length &&
        declared.shape.every((dim, axis) => typeof dim === 'string' || dim === dims[axis])
      );
    });
    if (!asDeclared) return {};
    return Object.fromEntries(outputNames.map((name, index) => [name, tensors[index] as ort.Tensor]));
  }

  /** @returns what a picture of this size needs, ready to run. */
  #prepareInput(letterbox: Letterbox): DetectorInput {
    const { size, input } = letterbox;
    const [name = ''] = this.#session.inputNames;
    const tensor = new ort.Tensor('float32', input, [1, 3, size, size]);
    return { letterbox, feeds: { [name]: tensor }, outputs: undefined };
  }
}

/** What is kept between pictures for one input size, so that a picture costs no new memory. */
interface DetectorInput {
  letterbox: Letterbox;
  feeds: Record<string, ort.Tensor>;
  /** Undefined before the first run, empty where they are made anew by each. */
  outputs: Record<string, ort.Tensor> | undefined;
}

function assertOutputs(outputs: readonly ort.Tensor[], size: number): void {
  for (const [index, { data }] of outputs.entries()) {
    const cells = (size / (STRIDES[index % 3] as number)) ** 2;
    const values = [1, 4, 10][Math.floor(index / 3)] as number;
    if (outputs.length !== 9 || data.length !== cells * ANCHORS * values) {
      throw new Error('The detector does not have the nine outputs of SCRFD with landmarks.');
    }
  }
}

interface FeatureMap {
  level: number;
  stride: number;
  size: number;
  /** Input pixels for one picture pixel. */
  scale: number;
  threshold: number;
}

/** Adds the anchors of one feature map that reach the threshold. */
function collectCandidates(
  outputs: readonly Float32Array[],
  map: FeatureMap,
  candidates: DetectedFace[],
): void {
  const { level, threshold } = map;
  const scores = outputs[level] as Float32Array;
  // Nearly all anchors fail here: with anything in this loop that needs memory, they cost more than the faces.
  for (let anchor = 0; anchor < scores.length; anchor++) {
    if ((scores[anchor] as number) >= threshold) candidates.push(readCandidate(outputs, map, anchor));
  }
}

/** Boxes and landmarks are distances from the cell's corner (no half-cell offset), in strides. */
function readCandidate(
  outputs: readonly Float32Array[],
  { level, stride, size, scale }: FeatureMap,
  anchor: number,
): DetectedFace {
  const scores = outputs[level] as Float32Array;
  const boxes = outputs[level + 3] as Float32Array;
  const points = outputs[level + 6] as Float32Array;
  const columns = size / stride;
  const cell = Math.floor(anchor / ANCHORS);
  const x = (cell % columns) * stride;
  const y = Math.floor(cell / columns) * stride;
  const distance = (side: number) => (boxes[anchor * 4 + side] as number) * stride;
  return {
    score: scores[anchor] as number,
    box: {
      left: (x - distance(0)) / scale,
      top: (y - distance(1)) / scale,
      right: (x + distance(2)) / scale,
      bottom: (y + distance(3)) / scale,
    },
    landmarks: Float32Array.from(
      { length: 10 },
      (_, i) => ((i % 2 === 0 ? x : y) + (points[anchor * 10 + i] as number) * stride) / scale,
    ),
  };
}
