import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { expect } from 'vitest';
import {
  type ObservedModel,
  observeRanges,
  prepareForQuantisation,
  type QuantisationOptions,
  quantiseModel,
  type Statistics,
} from '../../../src/onnx/quantise/quantise.ts';
import type { Range } from '../../../src/onnx/quantise/ranges.ts';
import { EditableGraph } from '../../../src/onnx/rewrite/editable-graph.ts';
import { seededRandom } from '../../support/numbers.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** Of the input. */
export const DIMS: readonly number[] = [1, 3, 24, 24];

/** What a model's tensors hold on a few random inputs. */
async function statisticsOf({ bytes, tensors, means: outputs }: ObservedModel): Promise<Statistics> {
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const ranges = new Map<string, Range>();
  const means = new Map<string, Float64Array>();
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
    for (const [tensor, output] of outputs)
      means.set(tensor, Float64Array.from(results[output]?.data as Float32Array));
  }
  return { ranges, means };
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
  return quantiseModel(prepared, await statisticsOf(observeRanges(prepared, all)), all);
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
