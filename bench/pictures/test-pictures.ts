import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { PICTURE_SIZES, type PictureSize } from '../options.ts';
import type { EmbedPicture, PipelineResult } from '../pipeline.ts';
import { addGrain, generatePicture } from './generated.ts';

/** How many different pictures there are of each size; large ones take long to prepare and send. */
const COUNTS: Record<PictureSize, number> = { 250: 16, 1280: 8, '12mp': 3 };
const PNG_COUNTS: Record<PictureSize, number> = { 250: 4, 1280: 2, '12mp': 1 };
/** How many photographs are searched at most. */
const CANDIDATES = 80;
/** A portrait has a margin above the conditions of `detection=fast`, which are 48 of 128 pixels and a score of 0.7. */
const PORTRAIT_SIDE = 0.4;
const PORTRAIT_SCORE = 0.72;

/** Encoded pictures of one size. */
export interface TestPictures {
  photographs: Buffer[];
  /** Photographs with one large face. */
  portraits: Buffer[];
  png: Buffer[];
}

export type PictureKind = keyof TestPictures;

export type PicturesBySize = ReadonlyMap<PictureSize, TestPictures>;

/** What a picture is made from: a photograph, or a seed if there are no bytes. */
interface Source {
  bytes?: Buffer;
  seed: number;
}

type Sources = Record<'photographs' | 'portraits', Source[]>;

interface PreparePicturesOptions {
  sizes: readonly PictureSize[];
  /** Whether pictures are generated, for the synthetic pack. */
  synthetic: boolean;
  /** The folder with photographs. */
  photos: string;
  embed: EmbedPicture;
}

/** Scales or crops each photograph to each size; a JPEG that has the size already is used unchanged. */
export async function preparePictures(options: PreparePicturesOptions): Promise<PicturesBySize> {
  const { photographs, portraits } = options.synthetic
    ? generatedSources()
    : await findPhotographs(options.photos, options.embed);
  const pictures = new Map<PictureSize, TestPictures>();
  for (const size of options.sizes) {
    const render = (sources: Source[], count: number, format: 'jpeg' | 'png') =>
      Promise.all(sources.slice(0, count).map((source) => renderPicture(source, size, format)));
    pictures.set(size, {
      photographs: await render(photographs, COUNTS[size], 'jpeg'),
      portraits: await render(portraits, COUNTS[size], 'jpeg'),
      png: await render(photographs, PNG_COUNTS[size], 'png'),
    });
  }
  return pictures;
}

function generatedSources(): Sources {
  const seeds = Array.from({ length: COUNTS[250] }, (_, index) => ({ seed: index + 1 }));
  return { photographs: seeds, portraits: seeds };
}

async function findPhotographs(folder: string, embed: EmbedPicture): Promise<Sources> {
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => /\.(jpe?g|png)$/i.test(name)) : [];
  // Evenly spaced: neighbours in a folder often show the same person.
  const step = Math.max(1, Math.floor(files.length / CANDIDATES));
  const candidates = files.sort().filter((_, index) => index % step === 0);
  const photographs: Source[] = [];
  const portraits: Source[] = [];
  for (const [index, file] of candidates.entries()) {
    const bytes = readFileSync(join(folder, file));
    const source = { bytes, seed: index + 1 };
    const result = await embed(bytes, 'all');
    if (result.faces.length > 0) photographs.push(source);
    if (isPortrait(result)) portraits.push(source);
    if (photographs.length >= COUNTS[250] && portraits.length >= COUNTS[250]) break;
  }
  if (portraits.length === 0)
    throw new Error('--photos has no photograph with one large face. The pack "synthetic" needs none.');
  return { photographs, portraits };
}

function isPortrait({ faces, image }: PipelineResult): boolean {
  const [face] = faces;
  if (face === undefined || faces.length > 1) return false;
  const { left, top, right, bottom } = face.box;
  const side = Math.min(right - left, bottom - top);
  return side >= PORTRAIT_SIDE * Math.max(image.width, image.height) && face.score >= PORTRAIT_SCORE;
}

async function renderPicture(
  { bytes, seed }: Source,
  size: PictureSize,
  format: 'jpeg' | 'png',
): Promise<Buffer> {
  const { width, height } = PICTURE_SIZES[size];
  if (format === 'jpeg' && bytes && (await isJpegOfSize(bytes, width, height))) return bytes;
  const image = bytes
    ? await addGrain(sharp(bytes).autoOrient().resize(width, height, { fit: 'cover' }), seed)
    : await generatePicture(seed, { width, height });
  return format === 'png'
    ? image.png({ compressionLevel: 3 }).toBuffer()
    : image.jpeg({ quality: 88 }).toBuffer();
}

async function isJpegOfSize(bytes: Buffer, width: number, height: number): Promise<boolean> {
  const header = await sharp(bytes).metadata();
  return header.format === 'jpeg' && header.width === width && header.height === height;
}
