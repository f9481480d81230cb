import sharp from 'sharp';
import { expect, it } from 'vitest';
import { decodePlainJpeg } from '../../src/vision/decode/plain-jpeg.ts';
import { encodeJpeg, SUBSAMPLINGS } from '../support/jpeg-encoder.ts';
import { seededRandom } from '../support/numbers.ts';
import { blobs } from '../support/pictures.ts';
import { below, mutate, oneOf, type Random } from './pictures/mutate.ts';
import { CAMPAIGN, report } from './support/campaign.ts';

const DAY_MS = 86_400_000;
const SIDES = { width: 61, height: 43 };
const LIMIT = 2_000_000;
/** Large enough that two threads decode it. */
const LARGE = { width: 1100, height: 1000 };
/** One picture of so many is large. */
const LARGE_SHARE = 10;

/** Every sampling, baseline and progressive, with and without restart markers. */
async function sources(random: Random, sides: { width: number; height: number }): Promise<Uint8Array[]> {
  const smooth = await blobs(5, sides.width, sides.height).raw().toBuffer();
  const data = smooth.map((level) => Math.min(255, Math.max(0, level + 60 * (random() - 0.5))));
  return (Object.keys(SUBSAMPLINGS) as (keyof typeof SUBSAMPLINGS)[]).flatMap((subsampling) =>
    [false, true].flatMap((progressive) =>
      [0, 3].map((restartBlocks) =>
        encodeJpeg({ data, ...sides }, { subsampling, progressive, restartBlocks }),
      ),
    ),
  );
}

/** A few bytes, or what other formats are changed by too. */
function damage(random: Random, file: Uint8Array, others: readonly Buffer[]): Uint8Array {
  if (random() < 0.5) return mutate(random, Buffer.from(file), 'jpeg', others);
  const changed = file.slice();
  for (let left = 1 + below(random, 3); left > 0; left--) {
    changed[below(random, changed.length)] = below(random, 256);
  }
  return changed;
}

const decodedBySharp = (bytes: Uint8Array) =>
  sharp(bytes, { failOn: 'error', limitInputPixels: LIMIT, ignoreIcc: true })
    .autoOrient()
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer()
    .catch(() => undefined);

it('damaged JPEGs never end the process, and have the pixels of sharp or are left to it', {
  timeout: DAY_MS,
}, async () => {
  const random = seededRandom(CAMPAIGN.seed);
  const files = await sources(random, SIDES);
  const large = await sources(random, LARGE);
  const others = files.map((file) => Buffer.from(file));
  const outcomes = { same: 0, leftToSharp: 0, differ: 0, sharpRefuses: 0 };
  for (let round = 0; round < CAMPAIGN.jpegs; round++) {
    const bytes = damage(random, oneOf(random, round % LARGE_SHARE === 0 ? large : files), others);
    const options = { maxPixels: LIMIT, ignoreProfile: true, coresIdle: true };
    const decoded = await decodePlainJpeg(bytes, options);
    if (decoded === undefined) {
      outcomes.leftToSharp++;
      continue;
    }
    const judged = await decodedBySharp(bytes);
    if (judged === undefined) outcomes.sharpRefuses++;
    else outcomes[judged.equals(decoded.data) ? 'same' : 'differ']++;
  }
  report('Damaged JPEGs', { count: CAMPAIGN.jpegs, ...outcomes });
  expect(outcomes).toMatchObject({ differ: 0, sharpRefuses: 0 });
});
