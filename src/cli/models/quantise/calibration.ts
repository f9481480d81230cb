import * as ort from 'onnxruntime-node';
import type { Config } from '../../../config/settings.ts';
import { errorMessage } from '../../../errors.ts';
import {
  type ObservedModel,
  observeRanges,
  type PreparedModel,
  prepareForQuantisation,
  quantiseModel,
} from '../../../onnx/quantise/quantise.ts';
import { type Range, typicalRange, type WeightBits } from '../../../onnx/quantise/ranges.ts';
import { readVerified } from '../../../packs/file-hash.ts';
import { type ChannelOrder, detectionSizesOf, type ModelFile, type ModelPack } from '../../../packs/pack.ts';
import { Letterbox } from '../../../vision/detect/letterbox.ts';
import { letterboxOptionsOf } from '../../../vision/detect/open-detector.ts';
import type { Networks } from '../../../vision/networks.ts';
import type { Picture } from '../../../vision/picture.ts';
import {
  type Normalisation,
  normalisePixels,
  tabulateNormalisation,
} from '../../../vision/recognise/normalisation.ts';
import { openSession } from '../../../vision/session.ts';
import { type Network, QuantiseError } from './options.ts';

/** More faces of one photograph, a crowd, would outweigh the others. */
const MAX_FACES = 8;

/** Finds the ranges of the tensors of both networks on photographs, as the pipeline shows them to the networks. */
export class Calibration {
  readonly #networks: Networks;
  readonly #threshold: number;
  readonly #detector: NetworkCalibration | undefined;
  readonly #letterboxes: Letterbox[];
  readonly #recogniser: NetworkCalibration | undefined;
  readonly #normalisation: Normalisation;
  readonly #channelOrder: ChannelOrder;
  faces = 0;

  private constructor(
    networks: Networks,
    pack: ModelPack,
    config: Config,
    { detector, recogniser }: Partial<Record<Network, NetworkCalibration>>,
  ) {
    this.#networks = networks;
    this.#threshold = config.DETECTION_THRESHOLD;
    this.#detector = detector;
    this.#recogniser = recogniser;
    this.#letterboxes = detectionSizesOf(pack.detector, config.DETECTION_SIZES).map(
      (size) => new Letterbox(size, letterboxOptionsOf(pack.detector)),
    );
    this.#normalisation = tabulateNormalisation(pack.recogniser.preprocessing);
    this.#channelOrder = pack.recogniser.channelOrder;
  }

  /**
   * @param networks of the pack in float32, which find the faces.
   * @throws {QuantiseError} if a graph has something that is not understood.
   */
  static async open(
    pack: ModelPack,
    networks: Networks,
    wanted: readonly Network[],
    config: Config,
  ): Promise<Calibration> {
    const opened: Partial<Record<Network, NetworkCalibration>> = {};
    for (const network of wanted) opened[network] = await NetworkCalibration.open(network, pack[network]);
    return new Calibration(networks, pack, config, opened);
  }

  /** Runs the networks on a photograph. */
  async add(picture: Picture): Promise<void> {
    const views = this.#letterboxes.map((letterbox) => {
      letterbox.fit(picture);
      return { input: letterbox.input, side: letterbox.size };
    });
    await this.#detector?.add(views);
    const { detector, recogniser } = this.#networks;
    const faces = await detector.detectFaces(picture, this.#threshold);
    this.faces += faces.length;
    const aligned = faces.slice(0, MAX_FACES).map(({ landmarks }) => {
      const { pixels, size } = recogniser.alignFace(picture, landmarks);
      const input = new Float32Array(pixels.length);
      normalisePixels(pixels, this.#normalisation, input, this.#channelOrder);
      return { input, side: size };
    });
    await this.#recogniser?.add(aligned);
  }

  /** The quantised graphs. */
  quantise(weightBits: WeightBits): Partial<Record<Network, Uint8Array<ArrayBuffer>>> {
    const detector = this.#detector?.quantise(weightBits);
    const recogniser = this.#recogniser?.quantise(weightBits);
    return { ...(detector && { detector }), ...(recogniser && { recogniser }) };
  }

  async close(): Promise<void> {
    await this.#detector?.close();
    await this.#recogniser?.close();
  }
}

interface NetworkInput {
  /** 3 × side × side numbers. */
  input: Float32Array<ArrayBuffer>;
  side: number;
}

/** One network with the ranges seen so far. */
class NetworkCalibration {
  readonly #network: Network;
  readonly #model: PreparedModel;
  readonly #session: ort.InferenceSession;
  readonly #observed: Omit<ObservedModel, 'bytes'>;
  /** For each tensor its range in each photograph. */
  readonly #extremes: Map<string, Range[]>;
  /** For each input of a layer the sums over all runs of the means of its channels. */
  readonly #sums = new Map<string, Float64Array>();
  #runs = 0;

  private constructor(
    network: Network,
    model: PreparedModel,
    session: ort.InferenceSession,
    observed: Omit<ObservedModel, 'bytes'>,
  ) {
    this.#network = network;
    this.#model = model;
    this.#session = session;
    this.#observed = observed;
    this.#extremes = new Map([...observed.tensors.keys()].map((tensor) => [tensor, []]));
  }

  static async open(network: Network, file: ModelFile): Promise<NetworkCalibration> {
    const original = await readVerified(file);
    try {
      const model = prepareForQuantisation(original);
      const { bytes, ...observed } = observeRanges(model, optionsFor(network));
      const session = await openSession(bytes, { device: 'cpu', threads: 1 });
      return new NetworkCalibration(network, model, session, observed);
    } catch (error) {
      throw new QuantiseError(`The ${network} cannot be quantised: ${errorMessage(error)}.`);
    }
  }

  /** @param inputs what the network sees of one photograph. */
  async add(inputs: readonly NetworkInput[]): Promise<void> {
    const extremes = new Map<string, Range>();
    for (const { input, side } of inputs) {
      const [name = ''] = this.#session.inputNames;
      const tensor = new ort.Tensor('float32', input, [1, 3, side, side]);
      const results = await this.#session.run({ [name]: tensor });
      const numberOf = (output: string) => Number(results[output]?.data[0]);
      for (const [observed, { min, max }] of this.#observed.tensors) {
        const { min: least, max: greatest } = extremes.get(observed) ?? { min: 0, max: 0 };
        extremes.set(observed, {
          min: Math.min(least, numberOf(min)),
          max: Math.max(greatest, numberOf(max)),
        });
      }
      for (const [observed, output] of this.#observed.means)
        this.#addMeans(observed, results[output]?.data as Float32Array);
      this.#runs++;
    }
    for (const [observed, range] of extremes) this.#extremes.get(observed)?.push(range);
  }

  #addMeans(tensor: string, means: Float32Array): void {
    const sums = this.#sums.get(tensor) ?? new Float64Array(means.length);
    for (let channel = 0; channel < means.length; channel++)
      sums[channel] = (sums[channel] as number) + (means[channel] as number);
    this.#sums.set(tensor, sums);
  }

  quantise(weightBits: WeightBits): Uint8Array<ArrayBuffer> {
    const ranges = new Map([...this.#extremes].map(([tensor, seen]) => [tensor, typicalRange(seen)]));
    const means = new Map(
      [...this.#sums].map(([tensor, sums]) => [tensor, sums.map((sum) => sum / this.#runs)]),
    );
    return quantiseModel(this.#model, { ranges, means }, { weightBits, ...optionsFor(this.#network) });
  }

  close(): Promise<void> {
    return this.#session.release();
  }
}

const optionsFor = (network: Network) => ({ keepLastConvolutions: network === 'detector' });
