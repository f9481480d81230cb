import type { Scale, WorstCase } from './cases.ts';
import { worstAvif } from './worst-avif.ts';
import { worstGif } from './worst-gif.ts';
import { worstJpeg } from './worst-jpeg.ts';
import { worstPng } from './worst-png.ts';
import { worstTiff } from './worst-tiff.ts';
import { worstWebp } from './worst-webp.ts';

/** Just below the limits of the service: MAX_IMAGE_SIZE and MAX_IMAGE_PIXELS. */
export const AT_THE_LIMITS: Scale = { bytes: 10_000_000, pixels: 49_000_000 };
/** To change at random. */
export const SMALL: Scale = { bytes: 20_000, pixels: 60_000 };

/** Worst cases of all formats, one after the other: those at the limits take much memory. */
export async function* worstCases(scale: Scale): AsyncGenerator<WorstCase> {
  for (const cases of [worstJpeg, worstPng, worstWebp, worstGif, worstTiff, worstAvif]) yield* cases(scale);
}
