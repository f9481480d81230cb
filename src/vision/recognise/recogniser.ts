import * as ort from 'onnxruntime-node';
import type { ChannelOrder } from '../../packs/pack.ts';
import type { ProtectingTransform } from '../../protection/transform.ts';
import { type AlignedFace, fitSimilarity, landmarkTemplate, warpFace } from '../align/alignment.ts';
import type { Landmarks } from '../detect/face.ts';
import type { Pixels } from '../picture.ts';
import { findLargestBatch, rowsFor } from './batch-size.ts';
import { Batcher } from './batcher.ts';
import { type Normalisation, normalisePixels, tabulateNormalisation } from './normalisation.ts';

/** How the faces of several pictures are recognised in one run. */
export interface FaceBatching {
  /** Maximum wait of a face for others, in milliseconds. */
  windowMs: number;
  /** Maximum faces of one run, a power of two. */
  maxFaces: number;
}

/** What the network gets of a face. */
type RecognisedFace = Pick<AlignedFace, 'pixels' | 'size'>;

/** An aligned face in, an embedding out, as ArcFace does it (Deng et al., "ArcFace: Additive Angular Margin Loss", 2019). */
export class FaceRecogniser {
  readonly #session: ort.InferenceSession;
  readonly #multiThreadSession: ort.InferenceSession;
  readonly #normalisation: Normalisation;
  readonly #size: number;
  readonly #channelOrder: ChannelOrder;
  readonly #template: readonly number[];
  /** The aligned face, reused from face to face; with batching, each face has pixels of its own. */
  readonly #pixels: Uint8Array;
  /** The network's input, reused from run to run. */
  #input: Float32Array<ArrayBuffer>;
  #batcher: Batcher<RecognisedFace, Float32Array> | undefined;
  #facesPerRun = 1;
  #protection: ProtectingTransform | undefined;

  constructor(
    session: ort.InferenceSession,
    options: {
      inputSize: number;
      preprocessing: { mean: number; std: number };
      channelOrder: ChannelOrder;
      /** Where the five landmarks go, in pixels of the input; undefined for ArcFace's places. */
      alignment?: readonly number[] | undefined;
      /** The same graph with more threads, for when the cores are idle. Not used with batching. */
      multiThreadSession?: ort.InferenceSession | undefined;
    },
  ) {
    this.#session = session;
    this.#multiThreadSession = options.multiThreadSession ?? session;
    this.#normalisation = tabulateNormalisation(options.preprocessing);
    this.#size = options.inputSize;
    this.#channelOrder = options.channelOrder;
    this.#template = options.alignment ?? landmarkTemplate(options.inputSize);
    this.#pixels = new Uint8Array(this.#values);
    this.#input = new Float32Array(this.#values);
  }

  /** Side of an aligned face in pixels. */
  get inputSize(): number {
    return this.#size;
  }

  /** Maximum faces of one run. The caller hands over this many faces of a picture side by side. */
  get facesPerRun(): number {
    return this.#facesPerRun;
  }

  /**
   * Recognises faces in batches from now on. Only with batching may faces of several pictures be processed at a time.
   *
   * Runs every batch size once, because a GPU's libraries search for the best way to compute each new size, which takes up
   * to seconds; and to find graphs that take one face at a time, whatever they declare: their faces are not batched.
   */
  async batchFaces({ windowMs, maxFaces }: FaceBatching): Promise<void> {
    this.#input = new Float32Array(maxFaces * this.#values);
    const largest = this.#hasFreeBatchDimension()
      ? await findLargestBatch(maxFaces, this.#size, (faces) => this.#run(faces))
      : 1;
    this.#facesPerRun = largest;
    this.#input = this.#input.slice(0, largest * this.#values);
    this.#batcher = new Batcher({
      maxItems: largest,
      windowMs: largest > 1 ? windowMs : 0,
      run: (faces) => this.#run(faces),
    });
  }

  /** Protects every embedding from now on. No plain embedding leaves this class then. */
  protectWith(transform: ProtectingTransform): void {
    this.#protection = transform;
  }

  /**
   * Warps the face onto the recogniser's template; {@link embedAligned} then embeds it.
   *
   * @returns pixels that are valid until the next call, unless faces are batched.
   */
  alignFace(picture: Pixels, landmarks: Landmarks): AlignedFace {
    const transform = fitSimilarity(landmarks, this.#template);
    const pixels = this.#batcher ? new Uint8Array(this.#values) : this.#pixels;
    warpFace(picture, transform, this.#size, pixels);
    return { pixels, size: this.#size, transform };
  }

  /**
   * @param face the result of {@link alignFace}, unless faces are batched the latest one; or pixels of the caller's.
   * @param options.coresIdle whether no other image is being processed (src/engine/inference-worker.ts). The face then does
   *   not wait for a batch, as no other will come.
   * @returns the embedding, scaled to L2 norm 1 and protected if there is a key, and the norm it had.
   */
  async embedAligned(
    face: RecognisedFace,
    { coresIdle = false } = {},
  ): Promise<{ embedding: Float32Array<ArrayBuffer>; norm: number }> {
    const output = this.#batcher
      ? await this.#batcher.add(face, { immediate: coresIdle })
      : ((await this.#run([face], coresIdle ? this.#multiThreadSession : this.#session))[0] as Float32Array);
    const norm = normOf(output);
    if (!(norm > 0 && Number.isFinite(norm)))
      throw new Error('The recogniser gave an embedding without a direction.');
    const embedding = dividedBy(output, norm);
    return { embedding: this.#protection?.protect(embedding) ?? embedding, norm };
  }

  /** Input values of one face. */
  get #values(): number {
    return 3 * this.#size ** 2;
  }

  /**
   * One run at a time: runs share the input.
   *
   * @returns the network's output for each face, not normalised.
   */
  async #run(faces: readonly RecognisedFace[], session = this.#session): Promise<Float32Array[]> {
    for (const [index, { pixels }] of faces.entries()) {
      const input = this.#input.subarray(index * this.#values, (index + 1) * this.#values);
      normalisePixels(pixels, this.#normalisation, input, this.#channelOrder);
    }
    // The rows after the last face hold earlier faces; their outputs are not used.
    const rows = rowsFor(faces.length);
    const [inputName] = session.inputNames;
    const [outputName] = session.outputNames;
    const data = this.#input.subarray(0, rows * this.#values);
    const input = new ort.Tensor('float32', data, [rows, 3, this.#size, this.#size]);
    const results = await session.run({ [inputName as string]: input });
    const output = results[outputName as string]?.data as Float32Array;
    const length = output.length / rows;
    return faces.map((_, index) => output.subarray(index * length, (index + 1) * length));
  }

  #hasFreeBatchDimension(): boolean {
    const [input] = this.#session.inputMetadata;
    return !(input?.isTensor && typeof input.shape[0] === 'number');
  }
}

/*
 * Loops instead of array methods with closures: V8 would compile each closure anew for every face, as it is called for every
 * number.
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
