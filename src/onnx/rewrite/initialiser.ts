import { DATA_TYPE, TENSOR } from '../schema.ts';
import { byteLengthOf, concatenate, integerOf, integersOf, readFields } from '../wire.ts';

const BYTES_PER_FLOAT = 4;

/** A float32 initialiser whose value no caller can override. */
export interface Constant {
  dims: readonly number[];
  /** Copies the values out of the file's bytes. */
  floats(): Float32Array<ArrayBuffer>;
}

/** An initialiser of the file whose value no caller can override. */
export interface ParsedInitialiser {
  /** Undefined if it is not a complete float32 tensor. */
  constant: Constant | undefined;
  /** The values of a small int64 tensor, such as a shape. Undefined for other types. */
  integers(): readonly number[] | undefined;
}

/** @throws {Error} if the values are in another file. */
export function parseInitialiser(tensor: Uint8Array): ParsedInitialiser {
  return { constant: parseConstant(tensor), integers: () => parseIntegers(tensor) };
}

/** doc_string. */
const IGNORED_FIELD = 12;

function parseConstant(tensor: Uint8Array): Constant | undefined {
  const dims: number[] = [];
  const data: Uint8Array[] = [];
  let dataType = 0;
  let hasUnknownFields = false;
  for (const field of readFields(tensor)) {
    if (field.number === TENSOR.dims) dims.push(...integersOf(field));
    else if (field.number === TENSOR.dataType) dataType = integerOf(field);
    // float_data is little-endian float32 like raw_data, either packed or with one number in each field.
    else if (field.number === TENSOR.rawData || field.number === TENSOR.floatData) data.push(field.payload);
    else if (field.number === TENSOR.externalData) throw new Error('weights are in another file');
    else if (field.number === TENSOR.dataLocation && integerOf(field) !== 0) {
      throw new Error('weights are in another file');
    } else if (field.number !== TENSOR.name && field.number !== IGNORED_FIELD) hasUnknownFields = true;
  }
  const elements = dims.reduce((product, dim) => product * dim, 1);
  const isComplete = byteLengthOf(data) === elements * BYTES_PER_FLOAT;
  if (hasUnknownFields || dataType !== DATA_TYPE.float || !isComplete) return undefined;
  // A copy, because the file's numbers may lie at any offset and a Float32Array must be aligned.
  return { dims, floats: () => new Float32Array(concatenate(data).buffer) };
}

function parseIntegers(tensor: Uint8Array): readonly number[] | undefined {
  const integers: number[] = [];
  let dataType = 0;
  for (const field of readFields(tensor)) {
    if (field.number === TENSOR.dataType) dataType = integerOf(field);
    else if (field.number === TENSOR.int64Data) integers.push(...integersOf(field));
    else if (field.number === TENSOR.rawData) integers.push(...rawIntegers(field.payload));
  }
  return dataType === DATA_TYPE.int64 ? integers : undefined;
}

/** Numbers in raw_data are little-endian. */
function rawIntegers(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = Math.floor(bytes.length / BigInt64Array.BYTES_PER_ELEMENT);
  return Array.from({ length: count }, (_, i) =>
    Number(view.getBigInt64(i * BigInt64Array.BYTES_PER_ELEMENT, true)),
  );
}
