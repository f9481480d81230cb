import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage } from '../errors.ts';
import { type GraphSignature, readGraphSignature } from '../onnx/graph-signature.ts';
import { RECOGNISER_PREPROCESSING } from './pack.ts';
import { PackInvalidError } from './pack-errors.ts';

/** Scores, boxes and landmarks for each of the three strides. Source: insightface, model_zoo/scrfd.py. */
const DETECTOR_OUTPUTS = 9;

/** Side of ArcFace's input. InsightFace's landmark and age networks take 192 and 96 pixels. */
const RECOGNISER_SIDE = 112;

/** Fewer outputs are classes (a face or none, a mask or none), not an embedding. */
const LEAST_EMBEDDING_SIZE = 32;

/** Source: insightface, model_zoo/arcface_onnx.py, which looks for both among the first eight nodes. */
const NORMALISING_NODES = 8;

export interface RecognisedFiles {
  /** File names inside the folder. */
  detector: string;
  recogniser: string;
  recogniserInputSize: number;
  recogniserPreprocessing: { mean: number; std: number };
}

/**
 * Tells which of a folder's .onnx files is the detector and which the recogniser, by their inputs and outputs.
 *
 * @throws {PackInvalidError} when there is none, or more than one, of either.
 */
export async function recogniseFiles(folder: string): Promise<RecognisedFiles> {
  const names = (await readdir(folder)).filter((name) => name.toLowerCase().endsWith('.onnx')).sort();
  const detectors: string[] = [];
  const recognisers: { name: string; signature: GraphSignature }[] = [];
  const unreadable: string[] = [];
  for (const name of names) {
    const signature = await signatureOf(join(folder, name));
    if (typeof signature === 'string') unreadable.push(`${name}: ${signature}`);
    else if (isDetector(signature)) detectors.push(name);
    else if (isRecogniser(signature)) recognisers.push({ name, signature });
  }
  const detector = theOnly('detector (nine outputs)', detectors, { names, unreadable });
  const recogniserName = theOnly(
    'recogniser (input 112×112, one embedding as output)',
    recognisers.map(({ name }) => name),
    { names, unreadable },
  );
  const recogniser = recognisers.find(({ name }) => name === recogniserName);
  return {
    detector,
    recogniser: recogniserName,
    recogniserInputSize: RECOGNISER_SIDE,
    recogniserPreprocessing:
      recogniser && normalisesItself(recogniser.signature) ? { mean: 0, std: 1 } : RECOGNISER_PREPROCESSING,
  };
}

/** The signature, or the reason why there is none. One file is in memory at a time. */
async function signatureOf(path: string): Promise<GraphSignature | string> {
  try {
    return readGraphSignature(await readFile(path));
  } catch (error) {
    return errorMessage(error);
  }
}

function isDetector({ inputs, outputs }: GraphSignature): boolean {
  return inputs.length === 1 && outputs.length === DETECTOR_OUTPUTS;
}

function isRecogniser({ inputs, outputs }: GraphSignature): boolean {
  const input = inputs[0]?.dims;
  const output = outputs[0];
  if (inputs.length !== 1 || outputs.length !== 1 || input?.length !== 4 || output === undefined)
    return false;
  const [, channels, height, width] = input;
  if (channels !== 3 || height !== RECOGNISER_SIDE || width !== RECOGNISER_SIDE) return false;
  if (output.dims === undefined) return true;
  return output.dims.length === 2 && (output.dims[1] ?? LEAST_EMBEDDING_SIZE) >= LEAST_EMBEDDING_SIZE;
}

function normalisesItself({ operators }: GraphSignature): boolean {
  const first = operators.slice(0, NORMALISING_NODES);
  return first.includes('Sub') && first.includes('Mul');
}

function theOnly(
  role: string,
  candidates: string[],
  { names, unreadable }: { names: string[]; unreadable: string[] },
): string {
  const [first, ...others] = candidates;
  if (first === undefined) {
    const seen = names.length === 0 ? 'there is no .onnx file' : `.onnx files: ${names.join(', ')}`;
    const notes = unreadable.length === 0 ? '' : ` Not understood: ${unreadable.join('; ')}`;
    throw new PackInvalidError(`It has no ${role}; ${seen}.${notes}`);
  }
  if (others.length > 0) {
    throw new PackInvalidError(
      `It has more than one ${role}: ${candidates.join(' and ')}. ` +
        'Write a manifest.json of version 2 that says which one to use, or remove the others.',
    );
  }
  return first;
}
