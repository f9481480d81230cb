import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** One field of a protobuf message, not yet understood. */
export interface WireField {
  number: number;
  wireType: WireType;
  /** A view into the message, never a copy: the content without its length, or the encoded number. */
  payload: Uint8Array;
  /** A view of the whole field with its tag and length; written back it is unchanged to the byte. */
  raw: Uint8Array;
}

/**
 * Walks over the top level of a protobuf message. Nested messages and tensors are stepped over by their length, so
 * weights are neither read nor copied.
 *
 * Throws where the bytes are no protobuf message or end too early; the fields before that have been yielded by then.
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

/** The content of a nested message, a string or a tensor's bytes; throws for a field that holds a number. */
export function contentOf(field: WireField): Uint8Array {
  expectWireType(field, WireType.LengthDelimited);
  return field.payload;
}

/** Throws for a field that holds no text in UTF-8. */
export function textOf(field: WireField): string {
  return utf8.decode(contentOf(field));
}

/** An int32, int64 or enum field. Numbers beyond 2^53 lose their last digits. */
export function integerOf(field: WireField): number {
  expectWireType(field, WireType.Varint);
  return Number(new BinaryReader(field.payload).int64());
}

/** One field of a repeated integer: a single number, or many of them packed. */
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

const utf8 = new TextDecoder('utf-8', { fatal: true });

function expectWireType(field: WireField, wireType: WireType): void {
  if (field.wireType !== wireType) {
    throw new Error(`field ${field.number} has wire type ${field.wireType} instead of ${wireType}`);
  }
}
