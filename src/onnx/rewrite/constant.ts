import { DATA_TYPE, TENSOR } from '../schema.ts';
import { integerOf, integersOf, readFields } from '../wire.ts';
import type { Constant } from './editable-graph.ts';

const BYTES_PER_FLOAT = 4;

/**
 * @returns undefined for a tensor that is no complete float32 tensor.
 * @throws {Error} when its values are in another file.
 */
export function parseConstant(tensor: Uint8Array): Constant | undefined {
  const dims: number[] = [];
  const data: Uint8Array[] = [];
  let dataType = 0;
  let foreign = false;
  for (const field of readFields(tensor)) {
    if (field.number === TENSOR.dims) dims.push(...integersOf(field));
    else if (field.number === TENSOR.dataType) dataType = integerOf(field);
    // float_data is float32 in little-endian order like raw_data, packed into one field or one number a field.
    else if (field.number === TENSOR.rawData || field.number === TENSOR.floatData) data.push(field.payload);
    else if (field.number === TENSOR.externalData) throw new Error('weights are in another file');
    else if (field.number === TENSOR.dataLocation && integerOf(field) !== 0) {
      throw new Error('weights are in another file');
    } else if (field.number !== TENSOR.name) foreign = foreign || !IGNORED.has(field.number);
  }
  const elements = dims.reduce((product, dim) => product * dim, 1);
  const bytes = data.reduce((sum, { length }) => sum + length, 0);
  if (foreign || dataType !== DATA_TYPE.float || bytes !== elements * BYTES_PER_FLOAT) return undefined;
  return { dims, floats: () => floatsOf(data, elements) };
}

/**
 * The numbers of a small integer tensor, such as a shape.
 *
 * @returns undefined for a tensor that is not of int64.
 */
export function parseIntegers(tensor: Uint8Array): readonly number[] | undefined {
  const integers: number[] = [];
  let dataType = 0;
  for (const field of readFields(tensor)) {
    if (field.number === TENSOR.dataType) dataType = integerOf(field);
    else if (field.number === TENSOR.int64Data) integers.push(...integersOf(field));
    else if (field.number === TENSOR.rawData) integers.push(...rawIntegers(field.payload));
  }
  return dataType === DATA_TYPE.int64 ? integers : undefined;
}

/** Little-endian, as all numbers of the format. */
function rawIntegers(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = Math.floor(bytes.length / BigInt64Array.BYTES_PER_ELEMENT);
  return Array.from({ length: count }, (_, i) =>
    Number(view.getBigInt64(i * BigInt64Array.BYTES_PER_ELEMENT, true)),
  );
}

/** doc_string. */
const IGNORED: ReadonlySet<number> = new Set([12]);

/** A copy, for the file's numbers lie at any offset and a Float32Array may not. */
function floatsOf(data: readonly Uint8Array[], elements: number): Float32Array<ArrayBuffer> {
  const floats = new Float32Array(elements);
  const bytes = new Uint8Array(floats.buffer);
  let offset = 0;
  for (const part of data) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return floats;
}
