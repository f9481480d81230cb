import sharp from 'sharp';
import { repeatableNoise } from '../../bench/repeatable-noise.ts';

/**
 * What can go wrong with a photograph, each at three strengths. They go from what a recogniser hardly notices to what it
 * does not survive, so that there is something to tell apart.
 *
 * Each takes decoded pixels, a strength, and a source of numbers from 0 to 1, and gives an encoded picture.
 */
export const DEGRADATIONS = {
  blur: { strengths: [2, 3.5, 5], apply: (picture, sigma) => png(open(picture).blur(sigma)) },
  motion: { strengths: [9, 15, 21], apply: (picture, length) => png(open(smear(picture, length))) },
  small: {
    strengths: [0.35, 0.22, 0.15],
    apply: async (picture, factor) => png(open(await shrink(picture, factor))),
  },
  enlarged: {
    strengths: [0.25, 0.16, 0.11],
    apply: async (picture, factor) => {
      const { width, height } = picture;
      return png(open(await shrink(picture, factor)).resize(width, height, { kernel: 'cubic', fit: 'fill' }));
    },
  },
  dark: { strengths: [0.2, 0.1, 0.06], apply: (picture, gain) => png(open(each(picture, (v) => v * gain))) },
  bright: { strengths: [1.6, 2.4, 3.2], apply: (picture, gain) => png(open(each(picture, (v) => v * gain))) },
  flat: {
    strengths: [0.3, 0.15, 0.09],
    apply: (picture, share) => png(open(each(picture, (v) => 128 + (v - 128) * share))),
  },
  jpeg: { strengths: [12, 6, 3], apply: (picture, quality) => open(picture).jpeg({ quality }).toBuffer() },
  noise: {
    strengths: [20, 40, 60],
    apply: (picture, deviation, random) => png(open(each(picture, (v) => v + deviation * normal(random)))),
  },
  cut: {
    strengths: [0.3, 0.45, 0.6],
    apply: (picture, share, random) => png(cutFace(picture, share, random)),
  },
  covered: {
    strengths: [0.3, 0.45, 0.6],
    apply: (picture, share, random) => png(coverFace(picture, share, random)),
  },
};

/** Encoded picture → decoded, three channels. */
export async function decode(bytes) {
  const { data, info } = await sharp(bytes)
    .autoOrient()
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

/** A source of numbers that is the same in every run, and another for each text. */
export function randomOf(text) {
  let seed = 2166136261;
  for (const letter of text) seed = Math.imul(seed ^ letter.charCodeAt(0), 16777619);
  const random = repeatableNoise(seed);
  // The first numbers of a linear congruential generator tell its seed.
  for (let i = 0; i < 8; i++) random();
  return random;
}

const open = ({ data, width, height }) => sharp(data, { raw: { width, height, channels: 3 } });
const png = (image) => image.png({ compressionLevel: 1 }).toBuffer();

function each(picture, change) {
  const data = Buffer.alloc(picture.data.length);
  for (let i = 0; i < data.length; i++)
    data[i] = Math.min(255, Math.max(0, Math.round(change(picture.data[i]))));
  return { ...picture, data };
}

/** Box–Muller. */
const normal = (random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

async function shrink({ data, width, height }, factor) {
  const to = { width: Math.round(width * factor), height: Math.round(height * factor) };
  const small = await open({ data, width, height })
    .resize(to.width, to.height, { fit: 'fill' })
    .raw()
    .toBuffer();
  return { data: small, ...to };
}

/** Every pixel becomes the mean of those beside it: a camera that moved. */
function smear({ data, width, height }, length) {
  const out = Buffer.alloc(data.length);
  const half = (length - 1) / 2;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (let step = -half; step <= half; step++) {
          const from = Math.min(width - 1, Math.max(0, x + step));
          sum += data[(y * width + from) * 3 + channel];
        }
        out[(y * width + x) * 3 + channel] = Math.round(sum / length);
      }
    }
  }
  return { data: out, width, height };
}

/** The picture without a strip, so that this share of the face is beyond its edge. */
function cutFace(picture, share, random) {
  const { width, height, face } = picture;
  const { left, top, right, bottom } = face;
  const clamp = (value, most) => Math.min(most - 1, Math.max(1, Math.round(value)));
  const x = clamp(left + (right - left) * share, width);
  const xEnd = clamp(right - (right - left) * share, width);
  const yEnd = clamp(bottom - (bottom - top) * share, height);
  const y = clamp(top + (bottom - top) * share, height);
  const region = [
    { left: x, top: 0, width: width - x, height },
    { left: 0, top: 0, width: xEnd, height },
    { left: 0, top: 0, width, height: yEnd },
    { left: 0, top: y, width, height: height - y },
  ][Math.floor(random() * 4)];
  return open(picture).extract(region);
}

/** A grey sheet over this share of the face, from below or from above: a scarf, a hat. */
function coverFace(picture, share, random) {
  const { face } = picture;
  const height = Math.round((face.bottom - face.top) * share);
  const from = random() < 0.5 ? Math.round(face.top) : Math.round(face.bottom) - height;
  const level = 40 + Math.round(random() * 160);
  const data = Buffer.from(picture.data);
  for (let y = Math.max(0, from); y < Math.min(picture.height, from + height); y++) {
    const start = Math.max(0, Math.round(face.left));
    const end = Math.min(picture.width, Math.round(face.right));
    data.fill(level, (y * picture.width + start) * 3, (y * picture.width + end) * 3);
  }
  return open({ ...picture, data });
}
