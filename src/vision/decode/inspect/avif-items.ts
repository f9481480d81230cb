import type { ByteReader } from './byte-reader.ts';
import { type HevcConfiguration, readHevcConfiguration } from './hevc.ts';
import { type Box, boxesIn, contentOf, fullBox, onlyBox } from './iso-boxes.ts';
import { refuse, type Size } from './limits.ts';

/** An item of a HEIF file (ISO/IEC 23008-12): a coded picture, one put together from others, or metadata. */
export interface Item {
  type: string;
  /** Its bytes may lie in several places. */
  parts: Uint8Array[];
  size: Size | undefined;
  /** Frames that are decoded for it. */
  frames: number;
  /** How often it is turned, mirrored or cropped. */
  transforms: number;
  /** Of pictures in HEVC. */
  hevc: HevcConfiguration | undefined;
}

export interface Items {
  primary: number;
  items: Map<number, Item>;
  /** Pictures that one is put together from, in their order; one may be there several times. */
  sources: Map<number, number[]>;
  /** Auxiliary pictures, such as transparency, of a picture. */
  auxiliaries: Map<number, number[]>;
  profiles: Uint8Array[];
}

/** libheif refuses more than 256 items or references of one, and more than 32 parts of an item. */
const MAX_ITEMS = 1000;
const MAX_PARTS = 32;
const TRANSFORMS = ['irot', 'imir', 'clap'];

/** Reads the boxes that describe the items. */
export function readItems(file: ByteReader): Items {
  const meta = onlyBox(boxesIn(file, 0, file.length), 'meta');
  if (meta === undefined) refuse('No picture.');
  const boxes = boxesIn(file, meta.from + 4, meta.to);
  const primary = onlyBox(boxes, 'pitm');
  const information = onlyBox(boxes, 'iinf');
  const locations = onlyBox(boxes, 'iloc');
  const properties = onlyBox(boxes, 'iprp');
  const references = onlyBox(boxes, 'iref');
  const data = onlyBox(boxes, 'idat');
  if (!primary || !information) refuse('No picture.');
  const { version, at } = fullBox(file, primary);
  const result: Items = {
    primary: version === 0 ? file.u16(at) : file.u32(at),
    items: readInformation(file, information),
    sources: new Map(),
    auxiliaries: new Map(),
    profiles: [],
  };
  if (locations) readLocations(file, locations, data, result.items);
  if (properties) readProperties(file, properties, result);
  if (references) readReferences(file, references, result);
  return result;
}

/** ISO/IEC 14496-12, 8.11.6. */
function readInformation(file: ByteReader, box: Box): Map<number, Item> {
  const { version, at } = fullBox(file, box);
  const items = new Map<number, Item>();
  for (const entry of boxesIn(file, at + (version === 0 ? 2 : 4), box.to)) {
    if (entry.name !== 'infe') continue;
    const head = fullBox(file, entry);
    const wide = head.version >= 3 ? 4 : 2;
    const id = wide === 4 ? file.u32(head.at) : file.u16(head.at);
    const type = file.name(head.at + wide + 2);
    items.set(id, { type, parts: [], size: undefined, frames: 1, transforms: 0, hevc: undefined });
    if (items.size > MAX_ITEMS) refuse(`More than ${MAX_ITEMS} items.`);
  }
  return items;
}

/** ISO/IEC 14496-12, 8.11.3. */
function readLocations(file: ByteReader, box: Box, data: Box | undefined, items: Map<number, Item>): void {
  const { version, at: start } = fullBox(file, box);
  const sizes = file.u16(start);
  const [offsetBytes, lengthBytes, baseBytes] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15];
  const indexBytes = version === 0 ? 0 : sizes & 15;
  const number = (at: number, bytes: number) =>
    bytes === 0 ? 0 : bytes === 8 ? file.u64(at) : bytes === 4 ? file.u32(at) : file.u16(at);
  const wide = version === 2 ? 4 : 2;
  const entries = number(start + 2, wide);
  if (entries > MAX_ITEMS) refuse(`More than ${MAX_ITEMS} items.`);
  let at = start + 2 + wide;
  for (let entry = 0; entry < entries; entry++) {
    const id = number(at, wide);
    at += wide;
    const fromData = version > 0 && (file.u16(at) & 15) === 1;
    at += version > 0 ? 4 : 2;
    const base = number(at, baseBytes);
    at += baseBytes;
    const count = file.u16(at);
    at += 2;
    if (count > MAX_PARTS) refuse(`More than ${MAX_PARTS} parts of an item.`);
    for (let index = 0; index < count; index++) {
      at += indexBytes;
      const offset = base + number(at, offsetBytes);
      const length = number(at + offsetBytes, lengthBytes);
      at += offsetBytes + lengthBytes;
      const from = fromData ? (data?.from ?? file.length) + offset : offset;
      items.get(id)?.parts.push(file.slice(from, length === 0 ? file.length : length));
    }
  }
}

/** ISO/IEC 23008-12, 9.3: a list of properties, and for each item the numbers of its own. */
function readProperties(file: ByteReader, box: Box, { items, profiles }: Items): void {
  const boxes = boxesIn(file, box.from, box.to);
  const container = onlyBox(boxes, 'ipco');
  if (container === undefined) return;
  const properties = boxesIn(file, container.from, container.to);
  for (const property of properties) {
    const content = contentOf(file, property);
    if (property.name === 'colr' && ['prof', 'rICC'].includes(content.name(0))) {
      profiles.push(content.slice(4, content.length));
    }
  }
  for (const list of boxes.filter(({ name }) => name === 'ipma')) {
    const { version, at: start } = fullBox(file, list);
    const wideNumbers = (file.u8(start - 1) & 1) === 1;
    let at = start + 4;
    while (at + 3 <= list.to) {
      const item = items.get(version === 0 ? file.u16(at) : file.u32(at));
      at += version === 0 ? 2 : 4;
      const count = file.u8(at++);
      for (let index = 0; index < count && at < list.to; index++) {
        const number = wideNumbers ? file.u16(at) & 0x7fff : file.u8(at) & 0x7f;
        at += wideNumbers ? 2 : 1;
        const property = properties[number - 1];
        if (item === undefined || property === undefined) continue;
        if (TRANSFORMS.includes(property.name)) item.transforms++;
        if (property.name === 'hvcC') {
          if (item.hevc) refuse('Two configurations of an item.');
          item.hevc = readHevcConfiguration(contentOf(file, property));
        }
        if (property.name !== 'ispe') continue;
        if (item.size) refuse('Two sizes of an item.');
        item.size = { width: file.u32(property.from + 4), height: file.u32(property.from + 8) };
      }
    }
  }
}

/** ISO/IEC 14496-12, 8.11.12. */
function readReferences(file: ByteReader, box: Box, { sources, auxiliaries }: Items): void {
  const { version, at: start } = fullBox(file, box);
  const wide = version === 0 ? 2 : 4;
  const id = (at: number) => (wide === 2 ? file.u16(at) : file.u32(at));
  for (const reference of boxesIn(file, start, box.to)) {
    const from = id(reference.from);
    const count = file.u16(reference.from + wide);
    if (count > MAX_ITEMS) refuse(`More than ${MAX_ITEMS} references of an item.`);
    const first = reference.from + wide + 2;
    for (let at = first; at < first + count * wide && at + wide <= reference.to; at += wide) {
      if (reference.name === 'dimg') append(sources, from, id(at));
      if (reference.name === 'auxl') append(auxiliaries, id(at), from);
    }
  }
}

function append(lists: Map<number, number[]>, key: number, value: number): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}
