import type { FaceDetector } from '../../src/vision/detect/face-detector.ts';
import { randomOf } from '../quality/random.ts';
import { type Photo, THRESHOLD } from './photos.ts';
import { cropToFace, overlapOf, type PictureWithFace, paintOver, placeIn } from './pictures.ts';

/** A detector at some input sizes. */
export interface FamilyColumn {
  /** For the head of the table. */
  name: string;
  detector: FaceDetector;
}

/** Pictures of one kind, and what each detector finds in them. */
export interface FamilyRow {
  kind: string;
  pictures: number;
  /** For each column: in how many pictures the face is found, and how many boxes lie elsewhere. */
  results: { found: number; elsewhere: number }[];
}

interface Kind {
  name: string;
  make: (photo: Photo) => Promise<PictureWithFace>;
}

/** A square of the detector's largest ordinary input, so that it sees a face as wide as it is. */
const SIDE = 640;

const FACE_WIDTHS = [8, 12, 16, 20, 24, 32, 48, 64, 96, 160, 240, 320, 400, 480] as const;

/** No overlap: there is nothing to be found. */
const NOWHERE = { left: -2, top: -2, right: -1, bottom: -1 };

const KINDS: readonly Kind[] = [
  ...FACE_WIDTHS.map((faceWidth): Kind => {
    const name = `${faceWidth} pixels wide`;
    const place = { width: SIDE, height: SIDE, faceWidth };
    return { name, make: (photo) => placeIn(photo, place, randomOf(`${photo.file} ${faceWidth}`)) };
  }),
  { name: 'fills the picture', make: (photo) => cropToFace(photo, SIDE) },
  {
    name: 'no face: painted over',
    make: async (photo) => ({ ...(await paintOver(photo, photo.faces)), face: NOWHERE }),
  },
];

/** Overlap with the known place from which a face is the one that was placed. */
const SAME_PLACE = 0.4;

/** What the columns find of faces of each width. */
export async function measureFamilies(
  photos: readonly Photo[],
  columns: readonly FamilyColumn[],
  onProgress: (kind: string) => void,
): Promise<FamilyRow[]> {
  const rows: FamilyRow[] = [];
  for (const { name, make } of KINDS) {
    const results = columns.map(() => ({ found: 0, elsewhere: 0 }));
    for (const photo of photos) {
      const picture = await make(photo);
      for (const [index, { detector }] of columns.entries()) {
        const faces = await detector.detectFaces(picture, THRESHOLD);
        const there = faces.filter(({ box }) => overlapOf(box, picture.face) >= SAME_PLACE);
        const result = results[index] as (typeof results)[number];
        if (there.length > 0) result.found++;
        result.elsewhere += faces.length - there.length;
      }
    }
    rows.push({ kind: name, pictures: photos.length, results });
    onProgress(name);
  }
  return rows;
}
