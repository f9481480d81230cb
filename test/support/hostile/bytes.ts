/** Numbers as files hold them: 16 or 32 bits, big or little endian. */
export const u8 = (...values: number[]) => Buffer.from(values);
export const u16be = (...values: number[]) =>
  numbers(values, 2, (buffer, value, at) => buffer.writeUInt16BE(value, at));
export const u16le = (...values: number[]) =>
  numbers(values, 2, (buffer, value, at) => buffer.writeUInt16LE(value, at));
export const u24le = (value: number) => u8(value & 255, (value >> 8) & 255, value >> 16);
export const u32be = (...values: number[]) =>
  numbers(values, 4, (buffer, value, at) => buffer.writeUInt32BE(value, at));
export const u32le = (...values: number[]) =>
  numbers(values, 4, (buffer, value, at) => buffer.writeUInt32LE(value, at));
export const text = (value: string) => Buffer.from(value, 'latin1');
export const join = (...parts: Uint8Array[]) => Buffer.concat(parts);
export const repeat = (piece: Uint8Array, times: number) =>
  Buffer.concat(new Array<Uint8Array>(times).fill(piece));
export const zeros = (count: number) => Buffer.alloc(count);

function numbers(values: number[], size: number, write: (buffer: Buffer, value: number, at: number) => void) {
  const buffer = Buffer.alloc(values.length * size);
  for (const [index, value] of values.entries()) write(buffer, value, index * size);
  return buffer;
}
