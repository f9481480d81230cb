/**
 * Keeps libvips from writing decoded pixels to disk: by default it puts an image of more than 100 MB that it cannot decode from
 * top to bottom, such as a WebP, into a file in TMPDIR. A terabyte is more than any image has.
 *
 * To be called on the main thread before the first image: a worker's own environment does not reach native code, and libvips
 * reads the variable once.
 */
export function keepPixelsInMemory(): void {
  process.env.VIPS_DISC_THRESHOLD = '1024g';
}
