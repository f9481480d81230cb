import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { expect } from 'vitest';
import {
  observeRanges,
  prepareForQuantisation,
  type QuantisationOptions,
  quantiseModel,
} from '../../../src/onnx/quantise/quantise.ts';
import type { Range } from '../../../src/onnx/quantise/ranges.ts';
import { EditableGraph } from '../../../src/onnx/rewrite/editable-graph.ts';
import { seededRandom } from '../../support/numbers.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** Of the input. */
export const DIMS: readonly number[] = [1, 3, 24, 24];

/** The ranges of a model's tensors on a few random inputs. */
async function rangesOf(bytes: Uint8Array, tensors: Map<string, { min: string; max: string }>) {
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const ranges = new Map<string, Range>();
  for (let seed = 1; seed <= 4; seed++) {
    const results = await session.run({ x: randomInput(seed) });
    for (const [tensor, { min, max }] of tensors) {
      const seen = ranges.get(tensor) ?? { min: 0, max: 0 };
      const numberOf = (name: string) => Number(results[name]?.data[0]);
      ranges.set(tensor, {
        min: Math.min(seen.min, numberOf(min)),
        max: Math.max(seen.max, numberOf(max)),
      });
    }
  }
  return ranges;
}

export function randomInput(seed: number): ort.Tensor {
  const random = seededRandom(seed);
  const elements = DIMS.reduce((product, dim) => product * dim, 1);
  return new ort.Tensor(
    'float32',
    Float32Array.from({ length: elements }, () => 2 * random() - 1),
    DIMS,
  );
}

/** Quantises a model as the command does, calibrated on random inputs. */
export async function quantise(
  model: Uint8Array<ArrayBuffer>,
  options: Partial<QuantisationOptions> = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const all = { weightBits: 8, keepLastConvolutions: false, ...options } as const;
  const prepared = prepareForQuantisation(model);
  const { bytes, tensors } = observeRanges(prepared, all);
  return quantiseModel(prepared, await rangesOf(bytes, tensors), all);
}

/** The first output of a model for an input that it was not calibrated on. */
export async function outputOf(model: Uint8Array): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const results = await session.run({ x: randomInput(99) });
  return results[session.outputNames[0] as string]?.data as Float32Array;
}

/** Root of the mean squared difference, as a share of that of the expected values. */
export function relativeError(expected: Float32Array, actual: Float32Array): number {
  expect(actual.length).toBe(expected.length);
  const square = (values: Float32Array) => values.reduce((sum, value) => sum + value * value, 0);
  return Math.sqrt(square(expected.map((value, i) => value - (actual[i] as number))) / square(expected));
}

/** How often each operator is in the graph that ONNX Runtime makes of a model. */
export async function fusedOperators(model: Uint8Array): Promise<Record<string, number>> {
  const path = join(await temporaryFolder(), 'optimised.onnx');
  await ort.InferenceSession.create(model, { optimizedModelFilePath: path, logSeverityLevel: 3 });
  const counts: Record<string, number> = {};
  for (const { opType } of new EditableGraph(new Uint8Array(await readFile(path))).nodes)
    counts[opType] = (counts[opType] ?? 0) + 1;
  return counts;
}
