import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage } from '../errors.ts';
import { type GraphSignature, readGraphSignature } from '../onnx/graph-signature.ts';
import { LANDMARK_INPUT_SIDE, LANDMARK_OUTPUT_VALUES, RFB_OUTPUTS } from '../onnx/rfb-outputs.ts';
import { OUTPUT_KINDS, STRIDES } from '../onnx/scrfd-outputs.ts';
import { YUNET_OUTPUTS } from '../onnx/yunet-outputs.ts';
import {
  DETECTOR_FAMILIES,
  type DetectorFamily,
  NO_PREPROCESSING,
  type Preprocessing,
  RECOGNISER_INPUT_SIZE,
  RECOGNISER_PREPROCESSING,
} from './pack.ts';
import { PackInvalidError } from './pack-errors.ts';

/** Fewer outputs are classes, such as mask or no mask. */
export const MIN_EMBEDDING_SIZE = 32;

/** Source: insightface, model_zoo/arcface_onnx.py, which looks for Sub and Mul among the first eight nodes. */
const NORMALISATION_NODES = 8;

export interface IdentifiedFiles {
  /** File names inside the folder. */
  detector: string;
  family: DetectorFamily;
  /** The second network of the family `rfb`. */
  landmarks?: string;
  recogniser: string;
  recogniserPreprocessing: Preprocessing;
}

interface Candidate {
  name: string;
  signature: GraphSignature;
}

/**
 * Finds the detector and the recogniser among the .onnx files of a folder, by the inputs and outputs of their graphs.
 * InsightFace's packs also have networks for landmarks, age and gender, with inputs of 192 and 96 pixels.
 *
 * @throws {PackInvalidError} when there is not exactly one of each.
 */
export async function identifyFiles(folder: string): Promise<IdentifiedFiles> {
  const names = (await readdir(folder)).filter((name) => name.toLowerCase().endsWith('.onnx')).sort();
  const candidates: Candidate[] = [];
  const unreadable: string[] = [];
  // One after the other, so that only one file is in memory.
  for (const name of names) {
    try {
      candidates.push({ name, signature: readGraphSignature(await readFile(join(folder, name))) });
    } catch (error) {
      unreadable.push(`${name}: ${errorMessage(error)}`);
    }
  }
  const found = names.length === 0 ? 'there is no .onnx file.' : `.onnx files: ${names.join(', ')}.`;
  const details = unreadable.length === 0 ? found : `${found} Not understood: ${unreadable.join('; ')}`;
  const single = (role: string, matches: (signature: GraphSignature) => boolean, advice = '') =>
    singleOf(
      role,
      candidates.filter(({ signature }) => matches(signature)),
      details + advice,
    );
  const detector = single(
    'detector (the nine outputs of SCRFD, the twelve of YuNet or the two of RFB)',
    (signature) => familyOf(signature) !== undefined,
  );
  const undescribed = candidates.find(({ signature }) => isUndescribedRecogniser(signature));
  const recogniser = single(
    'recogniser (input 112×112, one embedding as output)',
    isRecogniser,
    undescribed && describeBy(undescribed),
  );
  const family = familyOf(detector.signature) as DetectorFamily;
  const landmarks =
    family === 'rfb' && single('network for landmarks (a grey input of 64×64, 68 points)', isLandmarkNetwork);
  return {
    detector: detector.name,
    family,
    ...(landmarks && { landmarks: landmarks.name }),
    recogniser: recogniser.name,
    recogniserPreprocessing: normalisesItsInput(recogniser.signature)
      ? NO_PREPROCESSING
      : RECOGNISER_PREPROCESSING,
  };
}

/** Tells the families apart by what their graphs put out. */
const HAS_OUTPUTS_OF: Record<DetectorFamily, (outputs: GraphSignature['outputs']) => boolean> = {
  scrfd: (outputs) => outputs.length === STRIDES.length * OUTPUT_KINDS,
  yunet: (outputs) =>
    outputs.length === YUNET_OUTPUTS.length && outputs.every(({ name }) => YUNET_OUTPUTS.includes(name)),
  rfb: (outputs) =>
    outputs.length === RFB_OUTPUTS.length &&
    outputs.every(({ name }) => RFB_OUTPUTS.some((known) => known === name)),
};

function familyOf({ inputs, outputs }: GraphSignature): DetectorFamily | undefined {
  if (inputs.length !== 1) return undefined;
  return DETECTOR_FAMILIES.find((family) => HAS_OUTPUTS_OF[family](outputs));
}

/** The family of a detector's file by its graph. Undefined if it is of none, or cannot be read: loading it says what is wrong. */
export async function detectorFamilyOf(path: string): Promise<DetectorFamily | undefined> {
  try {
    return familyOf(readGraphSignature(await readFile(path)));
  } catch {
    return undefined;
  }
}

/** The second network of the family `rfb`. */
function isLandmarkNetwork({ inputs, outputs }: GraphSignature): boolean {
  const input = [1, LANDMARK_INPUT_SIDE, LANDMARK_INPUT_SIDE].join();
  const isOutput = outputs[0]?.dims?.at(-1) === LANDMARK_OUTPUT_VALUES;
  return (
    inputs.length === 1 && outputs.length === 1 && inputs[0]?.dims?.slice(1).join() === input && isOutput
  );
}

/** ArcFace's input; what a network with another one wants to see, its graph does not say. */
function isRecogniser(signature: GraphSignature): boolean {
  const { outputs } = signature;
  if (sideOf(signature) !== RECOGNISER_INPUT_SIZE || outputs.length !== 1) return false;
  const dims = outputs[0]?.dims;
  return dims === undefined || (dims.length === 2 && (dims[1] ?? MIN_EMBEDDING_SIZE) >= MIN_EMBEDDING_SIZE);
}

/** Side of the graph's only input, if that is a square of three channels. */
function sideOf({ inputs }: GraphSignature): number | undefined {
  const dims = inputs[0]?.dims;
  if (inputs.length !== 1 || dims?.length !== 4) return undefined;
  const [, channels, height, width] = dims;
  return channels === 3 && height === width ? height : undefined;
}

/** One list of numbers for one picture, in any shape, from an input that is not ArcFace's. */
function isUndescribedRecogniser(signature: GraphSignature): boolean {
  const { outputs } = signature;
  const side = sideOf(signature);
  const [batch, ...dims] = outputs[0]?.dims ?? [];
  const numbers = dims.reduce((product: number, dim) => product * (dim ?? 1), 1);
  const isSmall = batch === undefined || batch === 1;
  return (
    outputs.length === 1 &&
    side !== undefined &&
    side !== RECOGNISER_INPUT_SIZE &&
    isSmall &&
    numbers >= MIN_EMBEDDING_SIZE
  );
}

/** What a manifest has to say about a recogniser, for operators. */
function describeBy({ name, signature }: Candidate): string {
  const side = sideOf(signature);
  return (
    ` If ${name} is the recogniser, its graph does not say what it wants to see of a face: write a manifest.json of version 2, ` +
    `with "input_size": [${side}, ${side}], "embedding_dimension", "preprocessing", "channel_order" and "alignment" in ` +
    'tasks.recognition (docs/MODELS.md).'
  );
}

function normalisesItsInput({ operators }: GraphSignature): boolean {
  const first = operators.slice(0, NORMALISATION_NODES);
  return first.includes('Sub') && first.includes('Mul');
}

function singleOf(role: string, candidates: Candidate[], details: string): Candidate {
  const [first, ...others] = candidates;
  if (first === undefined) throw new PackInvalidError(`It has no ${role}; ${details}`);
  if (others.length > 0) {
    throw new PackInvalidError(
      `It has more than one ${role}: ${candidates.map(({ name }) => name).join(' and ')}. ` +
        'Remove the others, or write a manifest.json of version 2 that names the one to use.',
    );
  }
  return first;
}
