/** A grey picture in BigTIFF: version 43, and numbers of eight bytes. Levels count up from 0. */
export function bigTiff(
  width: number,
  height: number,
  extra: readonly [tag: number, type: number, value: number][] = [],
) {
  const entries = [
    [256, 4, width],
    [257, 4, height],
    [258, 3, 8],
    [259, 3, 1],
    [262, 3, 1],
    [273, 16, 16],
    [277, 3, 1],
    [278, 4, height],
    [279, 16, width * height],
    ...extra,
  ] as const;
  const pixels = Buffer.from(Array.from({ length: width * height }, (_, index) => index % 256));
  const head = Buffer.alloc(16);
  head.write('II');
  head.writeUInt16LE(43, 2);
  head.writeUInt16LE(8, 4);
  head.writeBigUInt64LE(BigInt(16 + pixels.length), 8);
  const directory = Buffer.alloc(8 + 20 * entries.length + 8);
  directory.writeBigUInt64LE(BigInt(entries.length), 0);
  for (const [index, [tag, type, value]] of entries.entries()) {
    const at = 8 + 20 * index;
    directory.writeUInt16LE(tag, at);
    directory.writeUInt16LE(type, at + 2);
    directory.writeBigUInt64LE(1n, at + 4);
    directory.writeBigUInt64LE(BigInt(value), at + 12);
  }
  return Buffer.concat([head, pixels, directory]);
}
