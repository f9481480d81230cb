import { cosine } from '../../bench/statistics.ts';
import { ServiceError } from '../../src/errors.ts';
import type { FaceSelection } from '../../src/vision/detect/selection.ts';
import type { Networks } from '../../src/vision/networks.ts';
import { type EmbedResult, embedFaces, type OrientationMode } from '../../src/vision/pipeline.ts';
import { DEGRADATION_KINDS, DEGRADATIONS } from '../quality/embed/degradations.ts';
import { randomOf } from '../quality/random.ts';
import { MAX_PIXELS, type Photo, readPhotos, THRESHOLD } from './photos.ts';
import { encodePng, groupOf, open, paintOver, placeIn, turnedPng } from './pictures.ts';

/** What was answered to pictures of one kind. */
export interface OrientationRow {
  kind: string;
  pictures: number;
  exif: Answers;
  auto: Answers;
  /** Pictures that the detector looked at in other orientations. */
  looked: number;
  /** Pictures that were turned, and those that were turned to be upright. */
  turned: number;
  turnedUpright: number;
  /** Pictures whose answer is not that of `exif`, to the bit. */
  changed: number;
}

interface Answers {
  noFace: number;
  /** A face whose embedding has a cosine under 0.5 to that of the upright picture. */
  otherFace: number;
}

const SAME_FACE = 0.5;
const QUARTERS = [90, 180, 270] as const;
const TILTS = [15, 30, 45, 60, 75];
/** Pixels. */
const SMALL = { width: 640, height: 480, faceWidth: 40 };
const GROUP = { columns: 4, side: 180, gap: 60, people: 12 };

/** Photographs of which pictures of all kinds are made; of the others, quarter turns only. */
const SPARSE = 6;
/** Photographs that are measured together: as many as a group needs. */
export const CHUNK = SPARSE * GROUP.people;

/** @param files names of at most CHUNK photographs in the folder. */
export async function measureOrientation(
  networks: Networks,
  folder: string,
  files: readonly string[],
): Promise<OrientationRow[]> {
  const rows = new Map<string, OrientationRow>();
  const looks = countLooks(networks.detector);
  const embed = (bytes: Uint8Array, orientation: OrientationMode, selection: FaceSelection = 'largest') =>
    embedOne(bytes, { orientation, selection }, networks);

  /** @param upright the embeddings of the upright picture. @param rotation that makes the picture upright. */
  async function add(kind: string, bytes: Uint8Array, upright: readonly Float32Array[], rotation: number) {
    const row = rows.get(kind) ?? emptyRow(kind);
    rows.set(kind, row);
    const exif = await embed(bytes, 'exif');
    looks.count = 0;
    const auto = await embed(bytes, 'auto');
    row.pictures++;
    row.looked += looks.count;
    count(row.exif, exif, upright);
    count(row.auto, auto, upright);
    if (auto?.rotation) row.turned++;
    if (auto?.rotation && auto.rotation === rotation) row.turnedUpright++;
    if (answerText(auto) !== answerText(exif)) row.changed++;
  }

  const group: Photo[] = [];
  for await (const photo of readPhotos(folder, files, networks.detector)) {
    const upright = embeddingsOf(await embed(photo.bytes, 'exif'));
    await add('upright', photo.bytes, upright, 0);
    for (const degrees of QUARTERS) {
      await add(`turned by ${degrees}°`, await turnedPng(photo, degrees), upright, 360 - degrees);
    }
    if (files.indexOf(photo.file) % SPARSE === 0) {
      for (const degrees of TILTS) {
        await add(`tilted by ${degrees}°`, await turnedPng(photo, degrees), upright, degrees > 45 ? 270 : 0);
      }
      await add('without a face', await encodePng(open(await paintOver(photo, photo.faces))), [], 0);
      await addDegraded(photo, add);
      await addSmall(photo, embed, add);
      group.push(photo);
    }
  }
  if (group.length === GROUP.people) await addGroup(group, embed, add);
  return [...rows.values()];
}

type Add = (
  kind: string,
  bytes: Uint8Array,
  upright: readonly Float32Array[],
  rotation: number,
) => Promise<void>;
type Embed = (
  bytes: Uint8Array,
  orientation: OrientationMode,
  selection?: FaceSelection,
) => Promise<EmbedResult | undefined>;

/** Upright and hard to detect: as likely as any to be turned by mistake. */
async function addDegraded(photo: Photo, add: Add): Promise<void> {
  const picture = { ...photo, data: Buffer.from(photo.data) };
  for (const kind of DEGRADATION_KINDS) {
    const { levels, apply } = DEGRADATIONS[kind];
    const random = randomOf(`${photo.file} ${kind}`);
    await add('upright, degraded', new Uint8Array(await apply(picture, levels[1], random)), [], 0);
  }
}

async function addSmall(photo: Photo, embed: Embed, add: Add): Promise<void> {
  const picture = await placeIn(photo, SMALL, randomOf(photo.file));
  const upright = embeddingsOf(await embed(await turnedPng(picture, 0), 'exif'));
  for (const degrees of [0, ...QUARTERS]) {
    const kind = `small face, ${degrees === 0 ? 'upright' : `turned by ${degrees}°`}`;
    await add(kind, await turnedPng(picture, degrees), upright, 360 - degrees);
  }
}

async function addGroup(photos: readonly Photo[], embed: Embed, add: Add): Promise<void> {
  const picture = await groupOf(photos, GROUP);
  const upright = embeddingsOf(await embed(await turnedPng(picture, 0), 'exif', 'all'));
  for (const degrees of [0, ...QUARTERS]) {
    const kind = `group of ${GROUP.people}, ${degrees === 0 ? 'upright' : `turned by ${degrees}°`}`;
    await add(kind, await turnedPng(picture, degrees), upright, 360 - degrees);
  }
}

export async function embedOne(
  bytes: Uint8Array,
  options: { orientation: OrientationMode; selection: FaceSelection },
  networks: Networks,
): Promise<EmbedResult | undefined> {
  try {
    return await embedFaces(
      bytes,
      {
        ...options,
        detection: 'full',
        detectionThreshold: THRESHOLD,
        maxFaces: 100,
        maxPixels: MAX_PIXELS,
        quality: true,
      },
      networks,
    );
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'NO_FACE_DETECTED') return undefined;
    throw error;
  }
}

function emptyRow(kind: string): OrientationRow {
  const answers = () => ({ noFace: 0, otherFace: 0 });
  const counts = { pictures: 0, looked: 0, turned: 0, turnedUpright: 0, changed: 0 };
  return { kind, ...counts, exif: answers(), auto: answers() };
}

function count(answers: Answers, result: EmbedResult | undefined, upright: readonly Float32Array[]): void {
  const [embedding] = embeddingsOf(result);
  if (embedding === undefined) answers.noFace++;
  else if (upright.length > 0 && Math.max(...upright.map((one) => cosine(one, embedding))) < SAME_FACE) {
    answers.otherFace++;
  }
}

function embeddingsOf(result: EmbedResult | undefined): Float32Array[] {
  return result?.faces.map(({ embedding }) => embedding) ?? [];
}

/** All that a caller sees of a result. */
function answerText(result: EmbedResult | undefined): string {
  if (result === undefined) return '';
  const { image, rotation, faces } = result;
  const numbers = faces.map((face) => ({
    ...face,
    embedding: [...face.embedding],
    landmarks: [...face.landmarks],
  }));
  return JSON.stringify({ image, rotation, numbers });
}

function countLooks(detector: Networks['detector']): { count: number } {
  const looks = { count: 0 };
  const scoreTurns = detector.scoreTurns.bind(detector);
  detector.scoreTurns = (picture) => {
    looks.count++;
    return scoreTurns(picture);
  };
  return looks;
}

/** Adds up the rows of several chunks. */
export function mergeRows(chunks: readonly (readonly OrientationRow[])[]): OrientationRow[] {
  const merged = new Map<string, OrientationRow>();
  for (const row of chunks.flat()) {
    const sum = merged.get(row.kind) ?? emptyRow(row.kind);
    merged.set(row.kind, sum);
    for (const name of ['pictures', 'looked', 'turned', 'turnedUpright', 'changed'] as const)
      sum[name] += row[name];
    for (const mode of ['exif', 'auto'] as const) {
      sum[mode].noFace += row[mode].noFace;
      sum[mode].otherFace += row[mode].otherFace;
    }
  }
  return [...merged.values()];
}
