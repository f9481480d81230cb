import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { PICTURE_SIZES } from '../options.ts';
import { generatePicture, withGrain } from './generated.ts';

/** How many different pictures there are of each size; large ones take long to prepare and send. */
const COUNTS = { 250: 16, 1280: 8, '12mp': 3 };
const PNG_COUNTS = { 250: 4, 1280: 2, '12mp': 1 };
/** Photographs that are looked at to find enough of them. */
const CANDIDATES = 80;
/** A face "large and sure", for `detection=fast`: a margin above its conditions, 48 of 128 pixels and 0.7. */
const LARGE_SIDE = 0.4;
const SURE_SCORE = 0.72;

/**
 * The pictures that are measured with, encoded: size → {photographs, portraits, png}. Portraits have one large face.
 * Each is scaled or cropped to its size; a photograph that has it already keeps its own bytes.
 *
 * @param findFaces encoded picture → {faces: [{box, score}], image}.
 */
export async function prepareAlbum({ sizes, synthetic, photos, findFaces }) {
  const { photographs, portraits } = synthetic
    ? generatedOnes()
    : await photographsWithFaces(photos, findFaces);
  const album = {};
  for (const size of sizes) {
    const render = (sources, count, format) =>
      Promise.all(
        sources.slice(0, count).map((source) => renderPicture(source, PICTURE_SIZES[size], format)),
      );
    const count = COUNTS[size];
    album[size] = {
      photographs: await render(photographs, count, 'jpeg'),
      portraits: await render(portraits, count, 'jpeg'),
      png: await render(photographs, PNG_COUNTS[size], 'png'),
    };
  }
  return album;
}

function generatedOnes() {
  const seeds = Array.from({ length: COUNTS[250] }, (_, seed) => ({ seed: seed + 1 }));
  return { photographs: seeds, portraits: seeds };
}

async function photographsWithFaces(folder, findFaces) {
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => /\.(jpe?g|png)$/i.test(name)) : [];
  // Evenly out of all of them: neighbours in a folder often show the same person.
  const step = Math.max(1, Math.floor(files.length / CANDIDATES));
  const chosen = files.sort().filter((_, index) => index % step === 0);
  const photographs = [];
  const portraits = [];
  for (const [index, file] of chosen.entries()) {
    const source = { bytes: readFileSync(join(folder, file)), seed: index + 1 };
    const { faces, image } = await findFaces(source.bytes);
    if (faces.length > 0) photographs.push(source);
    if (faces.length === 1 && isLargeAndSure(faces[0], image)) portraits.push(source);
    if (photographs.length >= COUNTS[250] && portraits.length >= COUNTS[250]) break;
  }
  if (portraits.length === 0)
    throw new Error(
      'There are no photographs with one large face in --photos. The pack "synthetic" needs none.',
    );
  return { photographs, portraits };
}

function isLargeAndSure({ box, score }, { width, height }) {
  const side = Math.min(box.right - box.left, box.bottom - box.top);
  return side >= LARGE_SIDE * Math.max(width, height) && score >= SURE_SCORE;
}

async function renderPicture(source, { width, height }, format) {
  if (format === 'jpeg' && source.bytes && (await hasSize(source.bytes, width, height))) return source.bytes;
  const image = source.bytes
    ? await withGrain(sharp(source.bytes).autoOrient().resize(width, height, { fit: 'cover' }), source.seed)
    : await generatePicture(source.seed, { width, height });
  return format === 'png'
    ? image.png({ compressionLevel: 3 }).toBuffer()
    : image.jpeg({ quality: 88 }).toBuffer();
}

async function hasSize(bytes, width, height) {
  const header = await sharp(bytes).metadata();
  return header.format === 'jpeg' && header.width === width && header.height === height;
}
