import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** An undecoded field of a protobuf message. */
export interface WireField {
  number: number;
  wireType: WireType;
  /** A view into the message: the content without its length, or the encoded number. */
  payload: Uint8Array;
  /** A view of the whole field with its tag and length, which can be written back unchanged. */
  raw: Uint8Array;
}

/**
 * Yields the fields at the top level of a protobuf message. Nested messages and tensors are skipped by their length, so
 * weights are neither read nor copied.
 *
 * Throws when the bytes are not a protobuf message or end too early, after yielding the fields before that point.
 */
export function* readFields(message: Uint8Array): Generator<WireField, void> {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [number, wireType] = reader.tag();
    const payload = wireType === WireType.LengthDelimited ? reader.bytes() : reader.skip(wireType, number);
    yield { number, wireType, payload, raw: message.subarray(start, reader.pos) };
  }
}

/** The content of a nested message, a string or a tensor's bytes. Throws for a field that holds a number. */
export function contentOf(field: WireField): Uint8Array {
  expectWireType(field, WireType.LengthDelimited);
  return field.payload;
}

/** Throws for a field that does not hold UTF-8 text. */
export function textOf(field: WireField): string {
  return utf8.decode(contentOf(field));
}

/** An int32, int64 or enum field. Integers beyond 2^53 lose precision. */
export function integerOf(field: WireField): number {
  expectWireType(field, WireType.Varint);
  return Number(new BinaryReader(field.payload).int64());
}

/** One field of a repeated integer, which holds either a single number or packed numbers. */
export function integersOf(field: WireField): number[] {
  if (field.wireType === WireType.Varint) return [integerOf(field)];
  const reader = new BinaryReader(contentOf(field));
  const integers: number[] = [];
  while (reader.pos < reader.len) integers.push(Number(reader.int64()));
  return integers;
}

/** A float field. */
export function floatOf(field: WireField): number {
  expectWireType(field, WireType.Bit32);
  return new BinaryReader(field.payload).float();
}

/** The last field with this number in a nested message: protobuf's rule for a field that is not repeated. */
export function fieldIn(message: WireField, number: number): WireField | undefined {
  let found: WireField | undefined;
  for (const field of readFields(contentOf(message))) {
    if (field.number === number) found = field;
  }
  return found;
}

export function textIn(message: WireField, number: number): string | undefined {
  const field = fieldIn(message, number);
  return field && textOf(field);
}

/** Joins the parts in a buffer of their own. */
export function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(byteLengthOf(parts));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

export function byteLengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function expectWireType(field: WireField, wireType: WireType): void {
  if (field.wireType !== wireType) {
    throw new Error(`field ${field.number} has wire type ${field.wireType} instead of ${wireType}`);
  }
}
