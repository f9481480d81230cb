import * as ort from 'onnxruntime-node';
import {
  fitSimilarity,
  type Landmarks,
  landmarkTemplate,
  type SimilarityTransform,
  warpFace,
} from '../align/alignment.ts';
import type { Pixels } from '../decode/decode.ts';
import { type Normalisation, normalisePixels, tabulateNormalisation } from '../normalisation.ts';
import { Batcher } from './batcher.ts';

/** A face as the recogniser sees it. Unless faces are batched, its pixels are those of the next once that is aligned. */
export interface AlignedFace {
  /** size × size × 3 bytes, interleaved R, G, B; black where the picture ends. */
  pixels: Uint8Array;
  size: number;
  /** From the picture to these pixels. */
  transform: SimilarityTransform;
}

/** How the faces of several pictures are recognised in one run. */
export interface FaceBatching {
  /** Longest wait of a face for others, in milliseconds. */
  windowMs: number;
  /** Most faces of one run, a power of two. */
  most: number;
}

/** ArcFace: an aligned face in, an embedding out (Deng et al., "ArcFace: Additive Angular Margin Loss", 2019). */
export class FaceRecogniser {
  readonly #session: ort.InferenceSession;
  readonly #loneSession: ort.InferenceSession;
  readonly #normalisation: Normalisation;
  readonly #size: number;
  readonly #template: number[];
  /** The aligned face, and the same as network input; kept between faces. With batching, each face has its own pixels. */
  readonly #pixels: Uint8Array;
  #input: Float32Array<ArrayBuffer>;
  #batcher: Batcher<AlignedFace, Float32Array> | undefined;
  #facesPerRun = 1;

  constructor(
    session: ort.InferenceSession,
    options: {
      inputSize: number;
      preprocessing: { mean: number; std: number };
      /** The same graph on more threads, for when the cores have nothing else to do. Batches do without. */
      loneSession?: ort.InferenceSession | undefined;
    },
  ) {
    this.#session = session;
    this.#loneSession = options.loneSession ?? session;
    this.#normalisation = tabulateNormalisation(options.preprocessing);
    this.#size = options.inputSize;
    this.#template = landmarkTemplate(options.inputSize);
    this.#pixels = new Uint8Array(this.#values);
    this.#input = new Float32Array(this.#values);
  }

  /** The most faces of one run: so many of one picture are best handed over side by side. */
  get facesPerRun(): number {
    return this.#facesPerRun;
  }

  /**
   * Recognises faces in batches from now on. With it, faces of several pictures may be at work at one time, which without
   * it they must not. Every size of batch that will be met is tried here, because a GPU's libraries look for the best way
   * to compute each when they first meet it, which takes up to seconds; and so that a graph which was made for one face at
   * a time is noticed, whatever it states: its faces are then recognised one by one.
   */
  async batchFaces({ windowMs, most }: FaceBatching): Promise<void> {
    this.#input = new Float32Array(most * this.#values);
    const largest = await this.#largestBatch(most);
    this.#facesPerRun = largest;
    this.#input = this.#input.slice(0, largest * this.#values);
    this.#batcher = new Batcher({
      most: largest,
      windowMs: largest > 1 ? windowMs : 0,
      run: (faces) => this.#run(faces),
    });
  }

  /** Warps the face onto the recogniser's template; {@link embedAligned} then embeds it. */
  alignFace(picture: Pixels, landmarks: Landmarks): AlignedFace {
    const transform = fitSimilarity(landmarks, this.#template);
    const pixels = this.#batcher ? new Uint8Array(this.#values) : this.#pixels;
    warpFace(picture, transform, this.#size, pixels);
    return { pixels, size: this.#size, transform };
  }

  /**
   * @param face of this recogniser's {@link alignFace}; unless faces are batched, the one that was aligned last.
   * @param options.alone whether no other picture is at work: the cores are free, and waiting for more faces is in vain.
   * @returns the embedding, scaled to L2 norm 1, and the norm it had.
   */
  async embedAligned(
    face: AlignedFace,
    { alone = false } = {},
  ): Promise<{ embedding: Float32Array<ArrayBuffer>; norm: number }> {
    const output = this.#batcher
      ? await this.#batcher.add(face, { hurry: alone })
      : ((await this.#run([face], alone ? this.#loneSession : this.#session))[0] as Float32Array);
    const norm = normOf(output);
    if (!(norm > 0 && Number.isFinite(norm)))
      throw new Error('The recogniser gave an embedding without a direction.');
    return { embedding: dividedBy(output, norm), norm };
  }

  /** Numbers of one face. */
  get #values(): number {
    return 3 * this.#size ** 2;
  }

  /** @returns what the network says of each face, not normalised. One run at a time, as all share the input. */
  async #run(faces: readonly AlignedFace[], session = this.#session): Promise<Float32Array[]> {
    for (const [index, { pixels }] of faces.entries()) {
      const input = this.#input.subarray(index * this.#values, (index + 1) * this.#values);
      normalisePixels(pixels, this.#normalisation, input);
    }
    // The rest holds earlier faces, whose answers nobody reads.
    const rows = batchSize(faces.length);
    const [inputName] = session.inputNames;
    const [outputName] = session.outputNames;
    const data = this.#input.subarray(0, rows * this.#values);
    const input = new ort.Tensor('float32', data, [rows, 3, this.#size, this.#size]);
    const results = await session.run({ [inputName as string]: input });
    const output = results[outputName as string]?.data as Float32Array;
    const length = output.length / rows;
    return faces.map((_, index) => output.subarray(index * length, (index + 1) * length));
  }

  /** The most faces, up to a limit, that the graph takes in one run and answers each as if it were alone. */
  async #largestBatch(limit: number): Promise<number> {
    const [input] = this.#session.inputMetadata;
    if (limit === 1 || (input?.isTensor && typeof input.shape[0] === 'number')) return 1;
    const faces = Array.from({ length: limit }, (_, index) => this.#patternedFace(index));
    const alone: Float32Array[] = [];
    for (const face of faces) alone.push(...(await this.#run([face])));
    let largest = 1;
    for (let size = 2; size <= limit; size *= 2) {
      const outputs = await this.#run(faces.slice(0, size)).catch(() => []);
      const same = outputs.filter((output, index) => isSameAnswer(output, alone[index] as Float32Array));
      if (same.length < size) break;
      largest = size;
    }
    return largest;
  }

  /** No face, but a pattern that no other number gives. */
  #patternedFace(number: number): AlignedFace {
    const pixels = Uint8Array.from({ length: this.#values }, (_, i) => {
      const x = Math.floor(i / 3) % this.#size;
      const y = Math.floor(i / (3 * this.#size));
      return 128 + 100 * Math.sin((number + 1) * 0.05 * x + (i % 3)) * Math.cos(0.11 * y + number);
    });
    return { pixels, size: this.#size, transform: { a: 1, b: 0, tx: 0, ty: 0 } };
  }
}

/*
 * Loops, and no functions made for each face: V8 would compile every one of them anew, as it is called for each number.
 */

function normOf(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] as number) ** 2;
  return Math.sqrt(sum);
}

function dividedBy(values: Float32Array, divisor: number): Float32Array<ArrayBuffer> {
  const quotients = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) quotients[i] = (values[i] as number) / divisor;
  return quotients;
}

/**
 * Rows of a run for so many faces: the next power of two. ONNX Runtime's CUDA provider searches for the best convolutions
 * whenever it meets a new shape (microsoft/onnxruntime#709), so there are to be few, and none that is new after the start.
 */
function batchSize(faces: number): number {
  return 2 ** Math.ceil(Math.log2(faces));
}

/** Largest difference that another order of additions, or a GPU's shorter mantissas, may make to an answer, relative to its norm. */
const ANSWER_TOLERANCE = 0.01;

function isSameAnswer(output: Float32Array, wanted: Float32Array): boolean {
  if (output.length !== wanted.length) return false;
  const difference = Math.hypot(...output.map((value, index) => value - (wanted[index] as number)));
  return difference <= ANSWER_TOLERANCE * Math.hypot(...wanted);
}
