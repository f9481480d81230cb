import { cpSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { seededRandom } from '../support/numbers.ts';
import { ROOT } from '../support/shared.ts';

/**
 * The working directory of a reader who follows the documents: the repository's scripts, and pictures with the names of the
 * examples. No picture shows a person.
 */
export async function createReaderFolder(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'reader-'));
  for (const name of ['package.json', 'tools']) symlinkSync(join(ROOT, name), join(folder, name));
  cpSync(join(ROOT, 'models/synthetic'), join(folder, 'my-pack-folder'), { recursive: true });

  const write = (name: string, content: Uint8Array | string) => writeFileSync(join(folder, name), content);
  for (const name of ['photos', 'people/anna', 'people/ben'])
    mkdirSync(join(folder, name), { recursive: true });
  // Larger than what one argument of a command can hold.
  write('face.jpg', await scene(1, { width: 1280, height: 960, quality: 95 }));
  write('group.jpg', await scene(2));
  write('anna.jpg', await scene(3));
  write('passport.jpg', await scene(3, { quality: 95 }));
  write('ben.jpg', await scene(4));
  // Also small: a low quality score does not come by itself with the synthetic pack.
  write('dark.jpg', await scene(5, { width: 96, height: 72, tone: (value) => value / 6 }));
  write('empty-room.jpg', await blank());
  for (const [person, seed] of [['anna', 3] as const, ['ben', 4] as const]) {
    for (const quality of [80, 95]) {
      const picture = await scene(seed, { quality });
      write(`people/${person}/${quality}.jpg`, picture);
      write(`photos/${person}-${quality}.jpg`, picture);
    }
  }
  write(
    'pairs.csv',
    'image_a,image_b,same_person\nanna-80.jpg,anna-95.jpg,1\nben-80.jpg,ben-95.jpg,1\nanna-80.jpg,ben-80.jpg,0\n',
  );
  return folder;
}

/** Large coloured patches, with fine grain unless another tone is given, as a JPEG. */
async function scene(
  seed: number,
  { width = 320, height = 240, quality = 85, tone = addGrain(seed) } = {},
): Promise<Buffer> {
  const random = seededRandom(seed);
  const patches = Buffer.from(Array.from({ length: 8 * 6 * 3 }, () => Math.floor(random() * 256)));
  const pixels = await sharp(patches, { raw: { width: 8, height: 6, channels: 3 } })
    .resize(width, height, { kernel: 'cubic', fit: 'fill' })
    .raw()
    .toBuffer();
  return sharp(Uint8ClampedArray.from(pixels, tone), { raw: { width, height, channels: 3 } })
    .jpeg({ quality })
    .toBuffer();
}

function addGrain(seed: number): (value: number) => number {
  const random = seededRandom(seed);
  return (value) => value + 60 * (random() - 0.5);
}

function blank(): Promise<Buffer> {
  return sharp({ create: { width: 320, height: 240, channels: 3, background: '#888888' } })
    .jpeg()
    .toBuffer();
}
