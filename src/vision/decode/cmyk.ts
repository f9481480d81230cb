import type { Pixels } from '../picture.ts';

/** How OpenCV turns inks to light; it has a formula for each format. */
export type CmykFormat = 'jpeg' | 'tiff';

/** Red, green or blue of an ink and of the light that black lets through, both 0..255. */
const LIGHT: Record<CmykFormat, (ink: number, white: number) => number> = {
  // OpenCV's icvCvt_CMYK2BGR_8u_C4C3R (modules/imgcodecs/src/utils.cpp).
  jpeg: (ink, white) => white - ((ink * white) >> 8),
  // libtiff's putRGBcontig8bitCMYKtile (tif_getimage.c), which OpenCV calls.
  tiff: (ink, white) => Math.trunc(((255 - ink) * white) / 255),
};

/**
 * Converts cyan, magenta, yellow and black to red, green and blue as OpenCV does: by a formula instead of a colour profile.
 *
 * @param inks four bytes for each pixel, 255 for full ink.
 */
export function cmykToRgb(
  inks: Uint8Array,
  { width, height }: { width: number; height: number },
  format: CmykFormat,
): Pixels {
  const light = LIGHT[format];
  const data = new Uint8Array(3 * width * height);
  for (let from = 0, to = 0; to < data.length; from += 4, to += 3) {
    const white = 255 - (inks[from + 3] as number);
    data[to] = light(inks[from] as number, white);
    data[to + 1] = light(inks[from + 1] as number, white);
    data[to + 2] = light(inks[from + 2] as number, white);
  }
  return { data, width, height };
}
