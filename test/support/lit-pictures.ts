import sharp from 'sharp';
import { seededRandom } from './numbers.ts';
import { blobs, bytesOf } from './pictures.ts';

/** How far the levels of neighbouring pixels differ, so that a picture is not blurred. */
const GRAIN = 30;

/**
 * A picture that the synthetic detector finds a face in, bright or dark as a whole: a liveness network that takes the mean level
 * for its score (liveness-networks.ts) tells them apart.
 *
 * @param level the middle of its levels, 0..255.
 */
export async function litPicture(level: number, seed = 1): Promise<Uint8Array<ArrayBuffer>> {
  const random = seededRandom(seed);
  const { data, info } = await blobs(seed).raw().toBuffer({ resolveWithObject: true });
  const lit = data.map((value) =>
    Math.min(255, Math.max(0, Math.round(level + 0.3 * (value - 128) + GRAIN * (random() - 0.5)))),
  );
  const { width, height } = info;
  return bytesOf(
    await sharp(lit, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer(),
  );
}
