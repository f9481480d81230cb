import sharp from 'sharp';
import { repeatableNoise } from '../repeatable-noise.ts';

/** A picture with contrast in its middle, in which the synthetic pack sees its one "face". */
export async function generatePicture(seed, { width, height }) {
  const random = repeatableNoise(seed);
  const data = Buffer.alloc(width * height * 3);
  const [fx, fy] = [3 + random() * 5, 3 + random() * 5];
  const tint = [random(), random(), random()];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const wave = Math.sin((fx * x) / width) * Math.cos((fy * y) / height);
      const centre = Math.exp(-20 * ((x / width - 0.5) ** 2 + (y / height - 0.5) ** 2));
      for (let channel = 0; channel < 3; channel++) {
        data[(y * width + x) * 3 + channel] =
          128 + 60 * wave * tint[channel] + 67 * centre * (tint[channel] - 0.5);
      }
    }
  }
  return withGrain(sharp(data, { raw: { width, height, channels: 3 } }), seed);
}

/**
 * Adds what a sensor adds. Enlarged and generated pictures are so smooth that their files would be small and quick to
 * decode, which no photograph of that size is.
 */
export async function withGrain(image, seed) {
  const { data, info } = await image.removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const random = repeatableNoise(seed);
  for (let i = 0; i < data.length; i++) data[i] = Math.min(255, Math.max(0, data[i] + (random() - 0.5) * 12));
  return sharp(data, { raw: { width: info.width, height: info.height, channels: 3 } });
}
