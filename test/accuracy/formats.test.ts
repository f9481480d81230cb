import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EmbedAnswer } from '../../src/engine/engine.ts';
import type { InferenceEngine } from '../../src/engine/inference-engine.ts';
import type { EmbeddedFace } from '../../src/vision/embed-face.ts';
import { embed, startRealEngine } from '../support/engine/real-engine.ts';
import { cosine } from '../support/numbers.ts';
import { overlap } from '../support/overlap.ts';
import { bytesOf } from '../support/pictures.ts';
import { hasRealWeights, photo } from '../support/shared.ts';

/** The sides of the upright picture at the stored first row and first column. Source: Exif 2.3, tag 0x0112. */
const ORIENTATIONS: Record<
  number,
  ['top' | 'bottom' | 'left' | 'right', 'top' | 'bottom' | 'left' | 'right']
> = {
  1: ['top', 'left'],
  2: ['top', 'right'],
  3: ['bottom', 'right'],
  4: ['bottom', 'left'],
  5: ['left', 'top'],
  6: ['right', 'top'],
  7: ['right', 'bottom'],
  8: ['left', 'bottom'],
};

/** Rearranges upright pixels as a camera in this orientation stores them. */
function store(pixels: Uint8Array, width: number, height: number, orientation: number) {
  const [firstRow, firstColumn] = ORIENTATIONS[orientation] as [string, string];
  const turned = firstRow === 'left' || firstRow === 'right';
  const stored = { width: turned ? height : width, height: turned ? width : height };
  const data = Buffer.alloc(pixels.length);
  for (let row = 0; row < stored.height; row++) {
    for (let column = 0; column < stored.width; column++) {
      const [along, across] = turned ? [row, column] : [column, row];
      const sides = turned ? [firstRow, firstColumn] : [firstColumn, firstRow];
      const x = sides[0] === 'left' ? along : width - 1 - along;
      const y = sides[1] === 'top' ? across : height - 1 - across;
      const from = (y * width + x) * 3;
      data.set(pixels.subarray(from, from + 3), (row * stored.width + column) * 3);
    }
  }
  return sharp(data, { raw: { ...stored, channels: 3 } });
}

describe.skipIf(!hasRealWeights)('the same photograph in every format', () => {
  let engine: InferenceEngine;
  let pixels: Buffer;
  let size: { width: number; height: number; channels: 3 };
  let plain: EmbedAnswer;

  const upright = () => sharp(pixels, { raw: size });

  /** One face of a group photograph, in colour; not square, so that a wrong orientation is detected. */
  beforeAll(async () => {
    engine = await startRealEngine();
    const { data, info } = await sharp(photo('insightface/t1.jpg'))
      .extract({ left: 390, top: 180, width: 300, height: 320 })
      .raw()
      .toBuffer({ resolveWithObject: true });
    pixels = data;
    size = { width: info.width, height: info.height, channels: 3 };
    plain = await embed(engine, bytesOf(await upright().png().toBuffer()), 'single');
  });
  afterAll(() => engine?.close());

  const plainFace = () => plain.faces[0] as EmbeddedFace;

  /** Checks that a form shows the same face as the plain picture. @returns it and the cosine of both embeddings. */
  async function compareForm(name: string, form: Sharp) {
    const answer = await embed(engine, bytesOf(await form.toBuffer()), 'single');
    const face = answer.faces[0] as EmbeddedFace;
    const similarity = cosine(face.embedding, plainFace().embedding);
    console.log(`${name}: cosine ${similarity.toFixed(6)}`);
    expect(answer.image).toEqual(plain.image);
    expect(overlap(face.box, plainFace().box)).toBeGreaterThanOrEqual(0.9);
    return { face, similarity };
  }

  async function expectTheSame(name: string, form: Sharp) {
    const { face, similarity } = await compareForm(name, form);
    expect(face.box).toEqual(plainFace().box);
    expect(similarity).toBeGreaterThanOrEqual(0.9999);
  }

  it.each<[string, () => Sharp]>([
    ['PNG', () => upright().png()],
    ['lossless WebP', () => upright().webp({ lossless: true })],
    ['TIFF', () => upright().tiff({ compression: 'none' })],
    ['TIFF, deflate', () => upright().tiff({ compression: 'deflate' })],
    ['interlaced PNG', () => upright().png({ progressive: true })],
    ['16-bit PNG', () => upright().toColourspace('rgb16').png()],
    ['PNG with alpha', () => upright().ensureAlpha(0.4).png()],
    ['WebP with alpha', () => upright().ensureAlpha(0.4).webp({ lossless: true, exact: true })],
    ['fully transparent PNG', () => upright().ensureAlpha(0).png()],
  ])('lossless: %s', async (name, form) => {
    await expectTheSame(name, form());
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('EXIF orientation %i', async (orientation) => {
    const form = store(pixels, size.width, size.height, orientation).withMetadata({ orientation }).png();
    await expectTheSame(`orientation ${orientation}`, form);
  });

  it.each<[string, () => Sharp]>([
    ['JPEG, quality 95', () => upright().jpeg({ quality: 95, chromaSubsampling: '4:4:4' })],
    ['progressive JPEG, quality 95', () => upright().jpeg({ quality: 95, progressive: true })],
    ['WebP, quality 95', () => upright().webp({ quality: 95 })],
    ['AVIF, quality 90', () => upright().avif({ quality: 90, chromaSubsampling: '4:4:4' })],
    // sharp writes 256 times the level, of which OpenCV's rounding makes up to one level less.
    ['16-bit TIFF', () => upright().toColourspace('rgb16').tiff({ compression: 'lzw' })],
    ['TIFF, JPEG inside', () => upright().tiff({ compression: 'jpeg', quality: 95 })],
  ])('high quality: %s', async (name, form) => {
    expect((await compareForm(name, form())).similarity).toBeGreaterThanOrEqual(0.98);
  });

  // These lose colour, which the recogniser uses. The floors are measured values, rounded down.
  it.each<[string, number, () => Sharp]>([
    ['GIF, 256 colours', 0.99, () => upright().gif()],
    ['PNG, palette of 256 colours', 0.99, () => upright().png({ palette: true })],
    ['PNG, palette of 16 colours', 0.92, () => upright().png({ palette: true, colours: 16, dither: 0 })],
    ['greyscale PNG', 0.95, () => upright().greyscale().png()],
    ['16-bit greyscale PNG', 0.95, () => upright().toColourspace('grey16').png()],
    ['greyscale JPEG', 0.95, () => upright().greyscale().jpeg({ quality: 95 })],
    ['CMYK JPEG', 0.98, () => upright().toColourspace('cmyk').jpeg({ quality: 95 })],
    ['CMYK TIFF', 0.98, () => upright().toColourspace('cmyk').tiff({ compression: 'lzw' })],
  ])('reduced colour: %s', async (name, floor, form) => {
    expect((await compareForm(name, form())).similarity).toBeGreaterThanOrEqual(floor);
  });
});
