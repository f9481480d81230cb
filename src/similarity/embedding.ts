import { type Base64Text, decodeBase64 } from '../base64.ts';
import { ServiceError } from '../errors.ts';

/** How `/v1/embed` writes an embedding and `/v1/compare` reads it. */
export const ENCODING_FORMATS = ['float', 'base64'] as const;

export type EncodingFormat = (typeof ENCODING_FORMATS)[number];

/** An embedding as a caller sends or receives it: numbers, or base64 of little-endian float32. */
export type EncodedEmbedding = string | number[];

/** Numbers that are not an array of V8. */
export interface NumberSource {
  readonly length: number;
  /** Writes as many numbers as there are, or as there is room for. */
  writeTo(values: Float64Array): void;
}

/** Embeddings before validation: an array may hold anything. */
export type UncheckedEmbedding = Base64Text | UncheckedNumbers;

type UncheckedNumbers = NumberSource | readonly unknown[];

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
 * @param name of the embedding in the request, for the error's detail.
 * @throws {ServiceError} INVALID_EMBEDDING when it is empty, not base64 of whole float32 values, not finite or all zero.
 */
export function readUnitEmbedding(encoded: UncheckedEmbedding, name: string): Float64Array<ArrayBuffer> {
  const values = isList(encoded)
    ? copyNumbers(encoded, new Float64Array(encoded.length), name)
    : new Float64Array(decodeFloats(encoded, name));
  if (values.length === 0) throw invalidEmbedding(name, 'is empty');
  scaleToUnit(values, name);
  return values;
}

export function isList(encoded: UncheckedEmbedding): encoded is UncheckedNumbers {
  return Array.isArray(encoded) || isNumberSource(encoded);
}

function isNumberSource(value: unknown): value is NumberSource {
  return typeof value === 'object' && value !== null && 'writeTo' in value;
}

/** @throws {ServiceError} INVALID_EMBEDDING for what is not base64 of whole float32 values. */
export function decodeFloats(text: Base64Text, name: string): Float32Array<ArrayBuffer> {
  const bytes = decodeBase64(text);
  if (bytes === undefined) throw invalidEmbedding(name, 'is not valid base64');
  if (bytes.length % 4 !== 0) throw invalidEmbedding(name, 'is not a whole number of float32 values');
  // Every platform of ONNX Runtime is little-endian, and the bytes start a buffer of their own.
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

/** @throws {ServiceError} INVALID_EMBEDDING for anything but numbers. */
export function copyNumbers<T extends Float64Array>(source: UncheckedNumbers, values: T, name: string): T {
  if (isNumberSource(source)) {
    source.writeTo(values);
    return values;
  }
  for (let i = 0; i < values.length; i++) {
    const value = source[i];
    if (typeof value !== 'number') throw invalidEmbedding(name, 'has a value that is not a finite number');
    values[i] = value;
  }
  return values;
}

/** Between these, a sum of squares has lost nothing to overflow or underflow. */
const MIN_SAFE_SUM = 1e-200;
const MAX_SAFE_SUM = 1e200;

/**
 * Scales a vector to L2 norm 1, in place.
 *
 * @throws {ServiceError} INVALID_EMBEDDING when a value is not finite or all are zero.
 */
export function scaleToUnit(values: Float64Array, name: string): void {
  let sum = sumOfSquares(values);
  // Written so that NaN fails.
  if (!(sum > MIN_SAFE_SUM && sum < MAX_SAFE_SUM)) {
    divideByLargest(values, name);
    sum = sumOfSquares(values);
  }
  const norm = Math.sqrt(sum);
  for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) / norm;
}

function sumOfSquares(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] as number) * (values[i] as number);
  return sum;
}

function divideByLargest(values: Float64Array, name: string): void {
  const largest = values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  if (!Number.isFinite(largest)) throw invalidEmbedding(name, 'has a value that is not a finite number');
  if (largest === 0) throw invalidEmbedding(name, 'has zero norm');
  for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) / largest;
}

export function invalidEmbedding(name: string, problem: string): ServiceError {
  return new ServiceError('INVALID_EMBEDDING', { detail: `${name} ${problem}.` });
}
