import { join, text, u8, u16be, u32be, zeros } from './bytes.ts';

export const box = (name: string, ...content: Uint8Array[]) => {
  const data = join(...content);
  return join(u32be(8 + data.length), text(name), data);
};
const fullBox = (name: string, version: number, flags: number, ...content: Uint8Array[]) =>
  box(name, u32be(version * 2 ** 24 + flags), ...content);

export interface AvifItem {
  type: 'av01' | 'grid' | 'iovl' | 'Exif';
  data: Uint8Array;
  /** How many parts it has, which are all the same bytes. */
  parts?: number;
  size?: [width: number, height: number];
  turns?: number;
  /** Other items that it is put together from, by their number from 1. */
  sources?: number[];
}

/** Takes apart what sharp has written. */
export function codedPicture(avif: Uint8Array): { configuration: Uint8Array; data: Uint8Array } {
  const bytes = Buffer.from(avif);
  const start = bytes.indexOf('av1C') - 4;
  return {
    configuration: bytes.subarray(start, start + bytes.readUInt32BE(start)),
    data: bytes.subarray(bytes.indexOf('mdat') + 4),
  };
}

/** An AVIF whose first item is the picture. */
export function avif(configuration: Uint8Array, items: AvifItem[]) {
  const properties = [configuration, box('irot', u8(1)), fullBox('pixi', 0, 0, u8(3, 8, 8, 8))];
  const associations = items.map(({ size, turns = 0 }, index) => {
    const own = [3];
    if (size) own.push(properties.push(fullBox('ispe', 0, 0, u32be(...size))), 1);
    own.push(...new Array<number>(turns).fill(2));
    return join(u16be(index + 1), u8(own.length, ...own));
  });
  const build = (start: number) => {
    let at = start;
    const locations = items.map(({ data, parts = 1 }, index) => {
      const part = u32be(at, data.length);
      at += data.length;
      return join(u16be(index + 1, 0, parts), ...new Array<Uint8Array>(parts).fill(part));
    });
    const information = items.map(({ type }, index) =>
      fullBox('infe', 2, index === 0 ? 0 : 1, u16be(index + 1, 0), text(type), u8(0)),
    );
    const references = items.flatMap(({ sources }, index) =>
      sources ? [box('dimg', u16be(index + 1, sources.length, ...sources))] : [],
    );
    return join(
      box('ftyp', text('avif'), u32be(0), text('avifmif1miaf')),
      fullBox(
        'meta',
        0,
        0,
        fullBox('hdlr', 0, 0, u32be(0), text('pict'), zeros(13)),
        fullBox('pitm', 0, 0, u16be(1)),
        fullBox('iloc', 0, 0, u8(0x44, 0), u16be(items.length), ...locations),
        fullBox('iinf', 0, 0, u16be(items.length), ...information),
        box('iprp', box('ipco', ...properties), fullBox('ipma', 0, 0, u32be(items.length), ...associations)),
        ...(references.length > 0 ? [fullBox('iref', 0, 0, ...references)] : []),
      ),
    );
  };
  return join(build(build(0).length + 8), box('mdat', ...items.map(({ data }) => data)));
}

/** A picture of equal tiles, of which only a part may be shown. */
export function grid(coded: ReturnType<typeof codedPicture>, tile: number, rows: number, shown: number) {
  const layout = join(u8(0, 0, rows - 1, rows - 1), u16be(shown, shown));
  return avif(coded.configuration, [
    { type: 'grid', data: layout, size: [shown, shown], sources: new Array<number>(rows * rows).fill(2) },
    { type: 'av01', data: coded.data, size: [tile, tile] },
  ]);
}
