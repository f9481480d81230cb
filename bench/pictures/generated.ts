import sharp, { type Sharp } from 'sharp';
import { seededRandom } from '../../src/cli/calibrate/statistics/seeded-random.ts';

/** A picture with a contrasting centre, in which the synthetic pack detects one "face". */
export async function generatePicture(
  seed: number,
  { width, height }: { width: number; height: number },
): Promise<Sharp> {
  const random = seededRandom(seed);
  const data = Buffer.alloc(width * height * 3);
  const [fx, fy] = [3 + random() * 5, 3 + random() * 5];
  const tint = [random(), random(), random()];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const wave = Math.sin((fx * x) / width) * Math.cos((fy * y) / height);
      const centre = Math.exp(-20 * ((x / width - 0.5) ** 2 + (y / height - 0.5) ** 2));
      for (const [channel, level] of tint.entries())
        data[(y * width + x) * 3 + channel] = 128 + 60 * wave * level + 67 * centre * (level - 0.5);
    }
  }
  return addGrain(sharp(data, { raw: { width, height, channels: 3 } }), seed);
}

/**
 * Adds sensor noise. Without it, enlarged and generated pictures are so smooth that their files are smaller and decode faster
 * than any photograph of that size.
 */
export async function addGrain(image: Sharp, seed: number): Promise<Sharp> {
  const { data, info } = await image.removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const random = seededRandom(seed);
  for (let i = 0; i < data.length; i++)
    data[i] = Math.min(255, Math.max(0, (data[i] as number) + (random() - 0.5) * 12));
  return sharp(data, { raw: { width: info.width, height: info.height, channels: 3 } });
}
