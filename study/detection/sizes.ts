import { interleave } from '../../bench/interleave.ts';
import { median, ratiosOfPairs } from '../../bench/statistics.ts';
import type { Networks } from '../../src/vision/networks.ts';
import type { Pixels } from '../../src/vision/picture.ts';
import { randomOf } from '../quality/random.ts';
import { type Photo, THRESHOLD } from './photos.ts';
import { cropToFace, overlapOf, type PictureWithFace, placeIn } from './pictures.ts';

/** Detector inputs that are measured one by one. What several find is what any of them finds. */
export const SIZES = [128, 320, 640, 1280, 2048] as const;

export type Size = (typeof SIZES)[number];

/** Pictures of one kind, and in how many of them the face is found at each size. */
export interface SizeRow {
  kind: string;
  pictures: number;
  /** For each picture, the sizes that find its face. */
  foundBy: Size[][];
}

interface Kind {
  name: string;
  make: (photo: Photo) => Promise<PictureWithFace>;
  /** Fewer of the large pictures. */
  pictures: number;
}

const placed = (width: number, height: number, faceWidth: number, pictures: number): Kind => ({
  name: `${width}×${height}, a face ${faceWidth} pixels wide`,
  make: (photo) =>
    placeIn(photo, { width, height, faceWidth }, randomOf(`${photo.file} ${width} ${faceWidth}`)),
  pictures,
});

const KINDS: readonly Kind[] = [
  placed(4000, 500, 105, 40),
  placed(8000, 500, 105, 40),
  placed(640, 480, 32, 40),
  placed(1280, 960, 32, 40),
  placed(1920, 1080, 32, 40),
  placed(7360, 4912, 100, 10),
  placed(7360, 4912, 200, 10),
  placed(7360, 4912, 400, 10),
  placed(7360, 4912, 2400, 10),
  {
    name: 'a face that fills the picture, 200 pixels high',
    make: (photo) => cropToFace(photo, 200),
    pictures: 40,
  },
  {
    name: 'a face that fills the picture, 2000 pixels high',
    make: (photo) => cropToFace(photo, 2000),
    pictures: 20,
  },
];

/** Overlap with the known place from which a face is the one that was placed. */
const SAME_PLACE = 0.4;

/** @param detectors for each size, one that has only this size. */
export async function measureSizes(
  photos: readonly Photo[],
  detectors: ReadonlyMap<Size, Networks['detector']>,
  onProgress: (kind: string) => void,
): Promise<SizeRow[]> {
  const rows: SizeRow[] = [];
  for (const { name, make, pictures } of KINDS) {
    const foundBy: Size[][] = [];
    for (const photo of photos.slice(0, pictures)) {
      const picture = await make(photo);
      const sizes: Size[] = [];
      for (const [size, detector] of detectors) if (await finds(detector, picture)) sizes.push(size);
      foundBy.push(sizes);
    }
    rows.push({ kind: name, pictures: foundBy.length, foundBy });
    onProgress(name);
  }
  return rows;
}

async function finds(detector: Networks['detector'], picture: PictureWithFace): Promise<boolean> {
  const faces = await detector.detectFaces(picture, THRESHOLD);
  return faces.some(({ box }) => overlapOf(box, picture.face) >= SAME_PLACE);
}

const ROUNDS = 15;

/** The processor's time for each size, relative to that for 128 and 640 together. */
export async function measureSizeCost(
  picture: Pixels,
  detectors: ReadonlyMap<Size, Networks['detector']>,
): Promise<Map<Size, number>> {
  const times = await interleave(
    Object.fromEntries(
      [...detectors].map(([size, detector]) => [
        String(size),
        async () => {
          const before = process.cpuUsage();
          await detector.detectFaces(picture, THRESHOLD);
          const { user, system } = process.cpuUsage(before);
          return user + system;
        },
      ]),
    ),
    { minRounds: ROUNDS, maxRounds: ROUNDS },
  );
  const both = (times['128'] ?? []).map((time, round) => time + (times['640']?.[round] ?? Number.NaN));
  return new Map(
    [...detectors.keys()].map((size) => [
      size,
      median(ratiosOfPairs(times[String(size)] ?? [], both)) ?? Number.NaN,
    ]),
  );
}
