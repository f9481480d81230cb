import { decodeBase64 } from '../base64.ts';
import { ServiceError } from '../errors.ts';

/** How `/v1/embed` writes an embedding and `/v1/compare` reads it. */
export const ENCODING_FORMATS = ['float', 'base64'] as const;

export type EncodingFormat = (typeof ENCODING_FORMATS)[number];

/** An embedding as a caller sends or receives it: numbers, or base64 of little-endian float32. */
export type EncodedEmbedding = string | number[];

/** The same as it comes from outside: what the array holds has not been looked at. */
export type UncheckedEmbedding = string | readonly unknown[];

/** Decimal digits after which no float32 is confused with its neighbour. Source: IEEE 754, conversion sequences. */
const FLOAT32_DIGITS = 9;

export function encodeEmbedding(embedding: Float32Array, format: EncodingFormat): EncodedEmbedding {
  if (format === 'float') return Array.from(embedding, shortenFloat32);
  const bytes = new DataView(new ArrayBuffer(embedding.length * 4));
  for (const [index, value] of embedding.entries()) bytes.setFloat32(index * 4, value, true);
  return Buffer.from(bytes.buffer).toString('base64');
}

/** The double with at most nine significant digits that reads back as the same float32. */
export function shortenFloat32(value: number): number {
  return Number(value.toPrecision(FLOAT32_DIGITS));
}

/**
 * Reads an embedding and scales it to L2 norm 1.
 *
 * @param name what the embedding is called in the request, for the error's detail.
 * @throws {ServiceError} INVALID_EMBEDDING when it is empty, not base64 of whole float32 values, not finite or all zero.
 */
export function readUnitEmbedding(encoded: UncheckedEmbedding, name: string): Float64Array {
  const values = typeof encoded === 'string' ? decodeFloats(encoded, name) : copyNumbers(encoded, name);
  if (values.length === 0) throw invalid(name, 'is empty');
  scaleToUnit(values, name);
  return values;
}

function decodeFloats(text: string, name: string): Float64Array {
  const bytes = decodeBase64(text);
  if (bytes === undefined) throw invalid(name, 'is not valid base64');
  if (bytes.length % 4 !== 0) throw invalid(name, 'is not a whole number of float32 values');
  // Every platform of ONNX Runtime is little-endian, and these bytes begin a buffer of their own.
  return new Float64Array(new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4));
}

function copyNumbers(source: readonly unknown[], name: string): Float64Array {
  const values = new Float64Array(source.length);
  for (let i = 0; i < values.length; i++) {
    const value = source[i];
    if (typeof value !== 'number') throw invalid(name, 'has a value that is not a finite number');
    values[i] = value;
  }
  return values;
}

/** In place. Scaled by the largest magnitude first, so that squares neither overflow nor vanish. */
function scaleToUnit(values: Float64Array, name: string): void {
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    const magnitude = Math.abs(values[i] as number);
    // Not a comparison that NaN would pass.
    if (!(magnitude < Number.POSITIVE_INFINITY))
      throw invalid(name, 'has a value that is not a finite number');
    if (magnitude > largest) largest = magnitude;
  }
  if (largest === 0) throw invalid(name, 'has zero norm');
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const scaled = (values[i] as number) / largest;
    values[i] = scaled;
    sum += scaled * scaled;
  }
  const norm = Math.sqrt(sum);
  for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) / norm;
}

function invalid(name: string, problem: string): ServiceError {
  return new ServiceError('INVALID_EMBEDDING', { detail: `${name} ${problem}.` });
}
