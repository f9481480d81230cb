import sharp, { type Sharp } from 'sharp';
import type { BoundingBox } from '../../../src/vision/detect/face.ts';
import type { Random } from '../random.ts';

/** A decoded picture with three channels. */
interface RawPicture {
  data: Buffer;
  width: number;
  height: number;
}

interface PictureWithFace extends RawPicture {
  face: BoundingBox;
}

interface Degradation {
  /** A parameter of the degradation for each level, from hardly noticeable to hardly recognisable. */
  levels: readonly [number, number, number];
  /** @returns an encoded picture. */
  apply: (picture: PictureWithFace, parameter: number, random: Random) => Promise<Buffer>;
}

export const DEGRADATIONS = {
  blur: { levels: [2, 3.5, 5], apply: (picture, sigma) => png(open(picture).blur(sigma)) },
  motion: { levels: [9, 15, 21], apply: (picture, length) => png(open(motionBlur(picture, length))) },
  small: {
    levels: [0.35, 0.22, 0.15],
    apply: async (picture, factor) => png(open(await shrink(picture, factor))),
  },
  enlarged: {
    levels: [0.25, 0.16, 0.11],
    apply: async (picture, factor) => {
      const { width, height } = picture;
      return png(open(await shrink(picture, factor)).resize(width, height, { kernel: 'cubic', fit: 'fill' }));
    },
  },
  dark: {
    levels: [0.2, 0.1, 0.06],
    apply: (picture, gain) => png(open(mapPixels(picture, (v) => v * gain))),
  },
  bright: {
    levels: [1.6, 2.4, 3.2],
    apply: (picture, gain) => png(open(mapPixels(picture, (v) => v * gain))),
  },
  flat: {
    levels: [0.3, 0.15, 0.09],
    apply: (picture, share) => png(open(mapPixels(picture, (v) => 128 + (v - 128) * share))),
  },
  jpeg: { levels: [12, 6, 3], apply: (picture, quality) => open(picture).jpeg({ quality }).toBuffer() },
  noise: {
    levels: [20, 40, 60],
    apply: (picture, deviation, random) =>
      png(open(mapPixels(picture, (v) => v + deviation * normal(random)))),
  },
  cut: {
    levels: [0.3, 0.45, 0.6],
    apply: (picture, share, random) => png(cropFace(picture, share, random)),
  },
  covered: {
    levels: [0.3, 0.45, 0.6],
    apply: (picture, share, random) => png(open(coverFace(picture, share, random))),
  },
} as const satisfies Record<string, Degradation>;

export type DegradationKind = keyof typeof DEGRADATIONS;

export const DEGRADATION_KINDS = Object.keys(DEGRADATIONS) as DegradationKind[];

export async function decode(bytes: Buffer): Promise<RawPicture> {
  const { data, info } = await sharp(bytes)
    .autoOrient()
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

function open({ data, width, height }: RawPicture): Sharp {
  return sharp(data, { raw: { width, height, channels: 3 } });
}

function png(image: Sharp): Promise<Buffer> {
  return image.png({ compressionLevel: 1 }).toBuffer();
}

function mapPixels(picture: RawPicture, change: (value: number) => number): RawPicture {
  const data = Buffer.from(picture.data);
  for (let i = 0; i < data.length; i++) {
    data[i] = Math.min(255, Math.max(0, Math.round(change(data[i] as number))));
  }
  return { ...picture, data };
}

/** A normally distributed number (Box–Muller). */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

async function shrink(picture: RawPicture, factor: number): Promise<RawPicture> {
  const width = Math.round(picture.width * factor);
  const height = Math.round(picture.height * factor);
  const data = await open(picture).resize(width, height, { fit: 'fill' }).raw().toBuffer();
  return { data, width, height };
}

/** Replaces each pixel by the mean of its neighbours in the row, as a moving camera does. */
function motionBlur({ data, width, height }: RawPicture, length: number): RawPicture {
  const blurred = Buffer.alloc(data.length);
  const half = (length - 1) / 2;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (let step = -half; step <= half; step++) {
          const column = Math.min(width - 1, Math.max(0, x + step));
          sum += data[(y * width + column) * 3 + channel] as number;
        }
        blurred[(y * width + x) * 3 + channel] = Math.round(sum / length);
      }
    }
  }
  return { data: blurred, width, height };
}

/** Crops the picture at a random side, so that this share of the face lies outside. */
function cropFace(picture: PictureWithFace, share: number, random: Random): Sharp {
  const { width, height, face } = picture;
  const cutX = share * (face.right - face.left);
  const cutY = share * (face.bottom - face.top);
  const inside = (value: number, size: number) => Math.min(size - 1, Math.max(1, Math.round(value)));
  const left = inside(face.left + cutX, width);
  const top = inside(face.top + cutY, height);
  const right = inside(face.right - cutX, width);
  const bottom = inside(face.bottom - cutY, height);
  const regions = [
    { left, top: 0, width: width - left, height },
    { left: 0, top: 0, width: right, height },
    { left: 0, top: 0, width, height: bottom },
    { left: 0, top, width, height: height - top },
  ] as const;
  return open(picture).extract(regions[Math.floor(random() * 4) as 0 | 1 | 2 | 3]);
}

/** Covers this share of the face with grey, from below or from above, like a scarf or a hat. */
function coverFace(picture: PictureWithFace, share: number, random: Random): RawPicture {
  const { face, width } = picture;
  const height = Math.round((face.bottom - face.top) * share);
  const top = random() < 0.5 ? Math.round(face.top) : Math.round(face.bottom) - height;
  const level = 40 + Math.round(random() * 160);
  const data = Buffer.from(picture.data);
  const left = Math.max(0, Math.round(face.left));
  const right = Math.min(width, Math.round(face.right));
  for (let y = Math.max(0, top); y < Math.min(picture.height, top + height); y++) {
    data.fill(level, (y * width + left) * 3, (y * width + right) * 3);
  }
  return { ...picture, data };
}
