import { interleave } from '../../bench/interleave.ts';
import { median, ratiosOfPairs } from '../../bench/statistics.ts';
import type { Networks } from '../../src/vision/networks.ts';
import { embedOne } from './orientation.ts';
import { listPhotos, type Photo, readPhotos } from './photos.ts';
import { open, paintOver } from './pictures.ts';

/** The processor's time with `orientation=auto`, relative to `exif`: medians over the pictures. */
export interface CostRow {
  kind: string;
  pictures: number;
  ratio: number;
}

/** Every n-th of the folder. */
const STEP = 17;
const PICTURES = 12;
const ROUNDS = 7;

/** The pictures without a face: as they are, and enlarged to a camera's size. */
const SIZES = [undefined, { width: 1280, height: 960 }] as const;

export async function measureCost(networks: Networks, folder: string): Promise<CostRow[]> {
  const ratios = new Map<string, number[]>();
  const add = async (kind: string, bytes: Uint8Array) => {
    const ratio = await ratioOf(bytes, networks);
    ratios.set(kind, [...(ratios.get(kind) ?? []), ratio]);
  };
  const files = listPhotos(folder, STEP).slice(0, PICTURES);
  for await (const photo of readPhotos(folder, files, networks.detector)) {
    await add('upright', photo.bytes);
    for (const size of SIZES) {
      const name = size ? `${size.width}×${size.height}` : `${photo.width}×${photo.height}`;
      await add(`without a face, ${name}`, await faceless(photo, size));
    }
  }
  return [...ratios].map(([kind, values]) => ({
    kind,
    pictures: values.length,
    ratio: median(values) ?? Number.NaN,
  }));
}

async function faceless(
  photo: Photo,
  size: { width: number; height: number } | undefined,
): Promise<Uint8Array> {
  const painted = open(await paintOver(photo, photo.faces));
  const image = size ? painted.resize({ ...size, fit: 'cover' }) : painted;
  return new Uint8Array(await image.jpeg({ quality: 90 }).toBuffer());
}

async function ratioOf(bytes: Uint8Array, networks: Networks): Promise<number> {
  const time = (orientation: 'exif' | 'auto') => async () => {
    const before = process.cpuUsage();
    await embedOne(bytes, { orientation, selection: 'largest' }, networks);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  const { exif, auto } = await interleave(
    { exif: time('exif'), auto: time('auto') },
    { minRounds: ROUNDS, maxRounds: ROUNDS },
  );
  return median(ratiosOfPairs(auto, exif)) ?? Number.NaN;
}
