import sharp from 'sharp';
import { ascii, fill, join, u8, u16be, u32be } from './bytes.ts';
import type { Scale, WorstCase } from './cases.ts';
import { subject } from './ordinary.ts';

const box = (type: string, ...content: Uint8Array[]): Buffer => {
  const data = join(...content);
  return join(u32be(data.length + 8), ascii(type), data);
};
const fullBox = (type: string, version: number, flags: number, ...content: Uint8Array[]): Buffer =>
  box(type, u32be(version * 2 ** 24 + flags), ...content);

/** What a small file of an encoder says of its picture. */
interface Coded {
  /** The properties `av1C`, `pixi` and `colr`. */
  properties: Buffer[];
  data: Buffer;
}

function codedOf(file: Buffer): Coded {
  const properties = ['av1C', 'pixi', 'colr'].flatMap((type) => {
    const at = file.indexOf(type, 0, 'latin1') - 4;
    return at < 0 ? [] : [file.subarray(at, at + file.readUInt32BE(at))];
  });
  const data = file.indexOf('mdat', 0, 'latin1') + 4;
  return { properties, data: file.subarray(data) };
}

interface Item {
  id: number;
  type: string;
  data: Buffer;
  /** Items that it is derived from. */
  from?: number[];
  width: number;
  height: number;
  /** How often it is turned by 90 degrees and mirrored. */
  turns?: number;
}

/** A file of these items, the last of which is the picture. Source: ISO/IEC 23008-12 and 14496-12. */
function avif(items: readonly Item[], { properties }: Coded, behind: Buffer = Buffer.alloc(0)): Buffer {
  // One property for all items of a size: readers limit their number.
  const sizes = [...new Set(items.map(({ width, height }) => `${width} ${height}`))];
  const spatial = sizes.map((size) =>
    fullBox('ispe', 0, 0, ...size.split(' ').map((side) => u32be(Number(side)))),
  );
  const first = properties.length + 1;
  const turn = first + sizes.length;
  const associations = items.map(({ id, type, width, height, turns = 0 }) => {
    const all = [
      ...(type === 'av01' ? properties.map((_, at) => at + 1) : []),
      first + sizes.indexOf(`${width} ${height}`),
      ...Array.from({ length: turns }, (_, at) => turn + (at % 2)),
    ];
    return join(u16be(id), u8(all.length), ...all.map((at) => u16be(at)));
  });
  const iprp = box(
    'iprp',
    box('ipco', ...properties, ...spatial, box('irot', u8(1)), box('imir', u8(0))),
    fullBox('ipma', 0, 1, u32be(items.length), Buffer.concat(associations)),
  );
  const infos = items.map(({ id, type }) => fullBox('infe', 2, 0, u16be(id), u16be(0), ascii(type), u8(0)));
  const references = items.flatMap(({ id, from }) =>
    from ? [box('dimg', u16be(id), u16be(from.length), Buffer.concat(from.map((one) => u16be(one))))] : [],
  );
  const last = items.at(-1) as Item;
  const metaOf = (start: number): Buffer => {
    let at = start;
    const places = items.map(({ id, data }) => {
      const place = join(u16be(id), u16be(0), u16be(1), u32be(at), u32be(data.length));
      at += data.length;
      return place;
    });
    return fullBox(
      'meta',
      0,
      0,
      fullBox('hdlr', 0, 0, u32be(0), ascii('pict'), Buffer.alloc(13)),
      fullBox('pitm', 0, 0, u16be(last.id)),
      fullBox('iloc', 0, 0, u8(0x44, 0), u16be(items.length), Buffer.concat(places)),
      fullBox('iinf', 0, 0, u16be(items.length), Buffer.concat(infos)),
      ...(references.length > 0 ? [fullBox('iref', 0, 0, Buffer.concat(references))] : []),
      iprp,
    );
  };
  const head = box('ftyp', ascii('avif'), u32be(0), ascii('avifmif1miaf'));
  const meta = metaOf(head.length + metaOf(0).length + 8);
  return join(head, meta, box('mdat', Buffer.concat(items.map(({ data }) => data))), behind);
}

export async function* worstAvif({ bytes, pixels }: Scale): AsyncGenerator<WorstCase> {
  const one = (name: string, file: Buffer, declared = 64 * 64): WorstCase => ({
    name: `avif ${name}`,
    format: 'avif',
    bytes: file,
    pixels: declared,
  });
  const flat = (width: number, height: number) =>
    sharp({ create: { width, height, channels: 3, background: '#808080' } })
      .avif({ effort: 0 })
      .toBuffer();
  const coded = codedOf(await subject(64, 64).avif({ effort: 0, chromaSubsampling: '4:2:0' }).toBuffer());
  const tile: Item = { id: 1, type: 'av01', data: coded.data, width: 64, height: 64 };
  yield one('built by hand', avif([tile], coded));

  const side = Math.floor(Math.sqrt(pixels));
  const long = Math.min(16_384, Math.floor(pixels / 16));
  for (const [width, height] of [
    [16, long],
    [long, 16],
    [side, side],
  ] as const) {
    yield one(`${width}×${height}`, await flat(width, height), width * height);
  }
  const turned = codedOf(await flat(side, side));
  yield one(
    'turned',
    avif([{ id: 1, type: 'av01', data: turned.data, width: side, height: side, turns: 240 }], turned),
    side * side,
  );
  const columns = Math.max(1, Math.min(255, Math.floor(side / 64)));
  const size = columns * 64;
  const derived = (type: string, data: Buffer, from: number[]): Item => ({
    id: 2,
    type,
    data,
    from,
    width: size,
    height: size,
  });
  const grid = join(u8(0, 1, columns - 1, columns - 1), u32be(size), u32be(size));
  yield one(
    'a grid of one tile',
    avif([tile, derived('grid', grid, Array(columns ** 2).fill(1))], coded),
    size * size,
  );
  yield one(
    'a grid with a tile missing',
    avif([tile, derived('grid', grid, Array(columns).fill(1))], coded),
    size * size,
  );
  const layers = Math.min(250, Math.floor(bytes / 10));
  const overlay = join(u8(0, 1), Buffer.alloc(8), u32be(size), u32be(size), Buffer.alloc(8 * layers));
  yield one('layers', avif([tile, derived('iovl', overlay, Array(layers).fill(1))], coded), size * size);
  yield one('derived from itself', avif([tile, derived('iden', Buffer.alloc(0), [2])], coded), size * size);
  yield one(
    'a grid of itself',
    avif([tile, derived('grid', grid, Array(columns ** 2).fill(2))], coded),
    size * size,
  );
  const chain = Math.min(10_000, Math.floor(bytes / 80));
  const links = Array.from(
    { length: chain },
    (_, at): Item => ({
      id: at + 2,
      type: 'iden',
      data: Buffer.alloc(0),
      from: [at + 1],
      width: 64,
      height: 64,
    }),
  );
  yield one('a chain of derivations', avif([tile, ...links], coded));
  yield one('rotations', avif([{ ...tile, turns: 240 }], coded));
  yield one(
    'rotations and mirrors of a large picture',
    avif([tile, { ...derived('grid', grid, Array(columns ** 2).fill(1)), turns: 240 }], coded),
    size * size,
  );
  const items = Array.from(
    { length: Math.min(60_000, Math.floor(bytes / 100)) },
    (_, at): Item => ({ ...tile, id: at + 1, data: at === 0 ? tile.data : Buffer.alloc(0) }),
  );
  yield one('items', avif([...items.slice(1), items[0] as Item], coded));
  yield one('empty boxes behind', avif([tile], coded, fill(box('free'), bytes)));
  yield one(
    'brands',
    join(box('ftyp', ascii('avif'), u32be(0), fill(ascii('mif1'), bytes)), avif([tile], coded).subarray(28)),
  );
  yield one('boxes in each other', avif([tile], coded, nested(Math.min(100_000, Math.floor(bytes / 8)))));
  const delimiters = fill(u8(0x12, 0), bytes);
  yield one('temporal delimiters', avif([{ ...tile, data: join(delimiters, coded.data) }], coded));
  yield one('padding units', avif([{ ...tile, data: join(fill(u8(0x7a, 0), bytes), coded.data) }], coded));
  yield one('the same picture again', avif([{ ...tile, data: fill(coded.data, bytes) }], coded));
  yield one('data after the end', avif([tile], coded, Buffer.alloc(bytes)));
}

function nested(depth: number): Buffer {
  const heads = Array.from({ length: depth }, (_, at) => join(u32be(8 * (depth - at)), ascii('moov')));
  return Buffer.concat(heads);
}
