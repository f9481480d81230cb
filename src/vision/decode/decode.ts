import sharp, { type Sharp } from 'sharp';
import type { ColourProfiles } from '../../packs/pack.ts';
import type { Picture, Pixels } from '../picture.ts';
import { asStillPicture } from './avif-sequence.ts';
import { decodeBmp } from './bmp.ts';
import { BrokenImageError } from './broken-image.ts';
import { type CmykFormat, cmykToRgb } from './cmyk.ts';
import { type ImageFormat, sniffImageFormat } from './format.ts';
import { assertHeicDecoder, decodeHeic } from './heic.ts';
import { inspectImage } from './inspect/inspect.ts';
import { decodeJpeg2000 } from './jpeg2000.ts';
import { machineFault } from './machine-fault.ts';
import { keepPixelsInMemory } from './pixels-in-memory.ts';
import { decodePlainJpeg } from './plain-jpeg.ts';

// For programs that decode on their main thread. The service also calls it before its workers start.
keepPixelsInMemory();
// libvips opens far more than the six formats, SVG among them; clients must not reach the other loaders.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff', 'Heif'].map((name) => `VipsForeignLoad${name}Buffer`),
});
// Workers run in parallel, so each decodes on one thread; no image is decoded twice, so a cache is of no use.
sharp.concurrency(1);
sharp.cache(false);

export type { ColourProfiles };

export interface DecodeOptions {
  /** Whether a colour profile changes colours; `ignore` is OpenCV's way, and the default. */
  colourProfiles?: ColourProfiles | undefined;
  /**
   * A JPEG is decoded at an eighth or a quarter of its size if its longer side keeps at least this many pixels, which takes
   * less time; 0, the default, always decodes in full.
   */
  reducedSide?: number | undefined;
  /** Whether a second core is idle, for a part of a large picture. The pixels are the same. */
  coresIdle?: boolean | undefined;
}

/**
 * Decodes the first frame of an encoded image: turned upright by its EXIF orientation, in 8-bit RGB, and without alpha (the
 * colours under it do not change). Pixels are those of OpenCV's `imdecode`; docs/COLOUR.md lists the exceptions.
 *
 * @param maxPixels pixels (width × height) above which the image is refused before it is decoded.
 * @throws {ServiceError} UNSUPPORTED_FORMAT, IMAGE_TOO_LARGE or INVALID_IMAGE.
 * @throws {Error} if it is the machine's fault, for example for want of memory.
 */
export async function decodePicture(
  bytes: Uint8Array,
  maxPixels: number,
  { colourProfiles = 'ignore', reducedSide = 0, coresIdle }: DecodeOptions = {},
): Promise<Picture> {
  const format = sniffImageFormat(bytes);
  if (format === 'heic') assertHeicDecoder();
  inspectImage(bytes, format, maxPixels);
  const settings = { maxPixels, ignoreProfile: colourProfiles === 'ignore', coresIdle };
  const reduced =
    reducedSide > 0 && format === 'jpeg' ? await reducedSize(bytes, maxPixels, reducedSide) : undefined;
  if (reduced) return { ...(await decodeBySharp(bytes, settings, reduced.size)), original: reduced.original };
  const pixels = await DECODERS[format](bytes, settings);
  return { ...pixels, original: { width: pixels.width, height: pixels.height } };
}

type Decoder = (bytes: Uint8Array, settings: Settings) => Pixels | Promise<Pixels>;

const DECODERS: Record<ImageFormat, Decoder> = {
  jpeg: decodeJpeg,
  png: decodeBySharp,
  webp: decodeBySharp,
  gif: decodeBySharp,
  tiff: async (bytes, settings) =>
    (await decodeDeep(bytes, 'tiff', settings)) ?? (await decodeBySharp(bytes, settings)),
  avif: (bytes, settings) => decodeBySharp(asStillPicture(bytes), settings),
  bmp: decodeBmp,
  jp2: decodeJpeg2000,
  heic: (bytes, { maxPixels }) => decodeHeic(bytes, maxPixels),
};

async function decodeJpeg(bytes: Uint8Array, settings: Settings): Promise<Pixels> {
  const plain = await decodePlainJpeg(bytes, settings);
  if (plain) return plain;
  const inks = await decodeDeep(bytes, 'jpeg', settings);
  if (inks) return inks;
  try {
    return await decodeBySharp(bytes, settings);
  } catch (error) {
    if (!(error instanceof StrayBytesError)) throw error;
    const complete = await decodePlainJpeg(bytes, { ...settings, acceptWarnings: true });
    if (complete === undefined) throw error;
    return complete;
  }
}

interface Settings {
  maxPixels: number;
  ignoreProfile: boolean;
  coresIdle: boolean | undefined;
}

const open = (bytes: Uint8Array, { maxPixels, ignoreProfile }: Settings) =>
  // "error" and not "warning": phones write JPEGs with harmless irregularities. Truncation still fails.
  sharp(bytes, {
    limitInputPixels: maxPixels,
    failOn: 'error',
    sequentialRead: true,
    ignoreIcc: ignoreProfile,
  }).autoOrient();

async function decodeBySharp(
  bytes: Uint8Array,
  settings: Settings,
  size?: { width: number; height: number },
): Promise<Pixels> {
  const pipeline = open(bytes, settings).toColourspace('srgb').removeAlpha().raw({ depth: 'uchar' });
  if (size) pipeline.resize({ ...size, fit: 'fill', kernel: 'linear' });
  const { channels, ...pixels } = await run(pipeline);
  if (channels !== 3) throw new BrokenImageError();
  return pixels;
}

/**
 * libvips gives up a JPEG after 100 warnings. Some cameras write stray bytes before each restart marker, which are a warning
 * each and lie outside the coded data, so nothing of the picture is missing; every viewer shows it.
 */
class StrayBytesError extends BrokenImageError {}

/** What libvips remarks on first and last. It also names what is worse, such as a premature end. */
const STRAY_BYTES = /^(VipsJpeg: Corrupt JPEG data: \d+ extraneous bytes before marker 0xd[0-7]\s*)+$/;
const hasStrayBytes = (error: unknown) => error instanceof Error && STRAY_BYTES.test(error.message);

async function run(pipeline: Sharp): Promise<Pixels & { channels: number }> {
  try {
    // Not toUint8Array, which leaks its pixels (sharp 0.35.5; test/system/memory.test.ts).
    const { data, info } = await pipeline.toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    // Not a Buffer: V8 compiles the loops that read pixels for one class, and slower code for two.
    const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return { data: pixels, width, height, channels };
  } catch (error) {
    // The message of libvips may quote the image's metadata, so it is neither logged nor returned.
    throw machineFault(error) ?? (hasStrayBytes(error) ? new StrayBytesError() : new BrokenImageError());
  }
}

/** Pictures that OpenCV converts to 8 bits of red, green and blue in another way than libvips. */
async function decodeDeep(
  bytes: Uint8Array,
  format: CmykFormat,
  settings: Settings,
): Promise<Pixels | undefined> {
  if (!settings.ignoreProfile) return undefined;
  const { space, depth, channels } = await metadataOf(bytes, settings.maxPixels);
  if (space === 'cmyk' && depth === 'uchar' && channels === 4) {
    const inks = await run(open(bytes, settings).pipelineColourspace('cmyk').toColourspace('cmyk').raw());
    if (inks.channels !== 4) throw new BrokenImageError();
    return cmykToRgb(inks.data, inks, format);
  }
  if (format === 'tiff' && space === 'rgb16' && depth === 'ushort') {
    const deep = await run(
      open(bytes, settings).removeAlpha().toColourspace('rgb16').raw({ depth: 'ushort' }),
    );
    if (deep.channels !== 3) throw new BrokenImageError();
    return roundTo8Bits(deep);
  }
  return undefined;
}

type Metadata = Partial<Awaited<ReturnType<Sharp['metadata']>>>;

/** Empty for a broken image. */
const metadataOf = (bytes: Uint8Array, limitInputPixels: number): Promise<Metadata> =>
  sharp(bytes, { limitInputPixels })
    .metadata()
    .catch(() => ({}));

/** libvips drops the lower byte of a TIFF's 16 bits; OpenCV rounds to the nearest of 256 levels. */
function roundTo8Bits({ data, width, height }: Pixels): Pixels {
  const deep = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
  return { data: Uint8Array.from(deep, (level) => Math.round(level / 257)), width, height };
}

/** The factors by which libjpeg reduces while decoding. A factor of two takes longer than decoding in full. */
const REDUCTIONS = [8, 4];

/** @returns undefined for a picture to be decoded in full. Sizes are those of the upright picture. */
async function reducedSize(
  bytes: Uint8Array,
  maxPixels: number,
  minSide: number,
): Promise<{ original: Picture['original']; size: { width: number; height: number } } | undefined> {
  const { autoOrient } = await metadataOf(bytes, maxPixels);
  if (autoOrient === undefined) return undefined;
  const { width, height } = autoOrient;
  const factor = REDUCTIONS.find((reduction) => Math.max(width, height) / reduction >= minSide);
  if (factor === undefined) return undefined;
  const reduce = (side: number) => Math.max(1, Math.floor(side / factor));
  return { original: { width, height }, size: { width: reduce(width), height: reduce(height) } };
}
