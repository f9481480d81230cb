import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage } from '../errors.ts';
import { type GraphSignature, readGraphSignature } from '../onnx/graph-signature.ts';
import { OUTPUT_KINDS, STRIDES } from '../onnx/scrfd-outputs.ts';
import {
  NO_PREPROCESSING,
  type Preprocessing,
  RECOGNISER_INPUT_SIZE,
  RECOGNISER_PREPROCESSING,
} from './pack.ts';
import { PackInvalidError } from './pack-errors.ts';

/** Fewer outputs are classes, such as mask or no mask. */
const MIN_EMBEDDING_SIZE = 32;

/** Source: insightface, model_zoo/arcface_onnx.py, which looks for Sub and Mul among the first eight nodes. */
const NORMALISATION_NODES = 8;

export interface IdentifiedFiles {
  /** File names inside the folder. */
  detector: string;
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
  const single = (role: string, matches: (signature: GraphSignature) => boolean) =>
    singleOf(
      role,
      candidates.filter(({ signature }) => matches(signature)),
      details,
    );
  const detector = single('detector (nine outputs)', isDetector);
  const recogniser = single('recogniser (input 112×112, one embedding as output)', isRecogniser);
  return {
    detector: detector.name,
    recogniser: recogniser.name,
    recogniserPreprocessing: normalisesItsInput(recogniser.signature)
      ? NO_PREPROCESSING
      : RECOGNISER_PREPROCESSING,
  };
}

function isDetector({ inputs, outputs }: GraphSignature): boolean {
  return inputs.length === 1 && outputs.length === STRIDES.length * OUTPUT_KINDS;
}

function isRecogniser({ inputs, outputs }: GraphSignature): boolean {
  const input = inputs[0]?.dims;
  const output = outputs[0];
  if (inputs.length !== 1 || outputs.length !== 1 || input?.length !== 4 || output === undefined)
    return false;
  const [, channels, height, width] = input;
  if (channels !== 3 || height !== RECOGNISER_INPUT_SIZE || width !== RECOGNISER_INPUT_SIZE) return false;
  if (output.dims === undefined) return true;
  return output.dims.length === 2 && (output.dims[1] ?? MIN_EMBEDDING_SIZE) >= MIN_EMBEDDING_SIZE;
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
