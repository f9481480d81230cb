import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as ort from 'onnxruntime-node';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { generateSyntheticPack } from '../../tools/synthetic/pack.ts';
import { decode, noise, type Picture, sample } from './synthetic-pictures.ts';

const LFW = fileURLToPath(new URL('../../../shared/faces/lfw/', import.meta.url));

let recogniser: ort.InferenceSession;

beforeAll(async () => {
  const { recogniser: bytes } = generateSyntheticPack();
  recogniser = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1 });
});

describe('the synthetic recogniser', () => {
  it('gives a crop the same embedding in a batch', async () => {
    const crops = [1, 2, 3].map((seed) => centreCrop(noise(112, 112, seed)));
    const together = await embed(crops);
    for (const [i, crop] of crops.entries()) {
      const [single] = await embed([crop]);
      expect(cosine(single as Float32Array, together[i] as Float32Array)).toBeCloseTo(1, 5);
    }
  });

  it('gives even crops embeddings of usable norm that differ by brightness', async () => {
    const even = [0, 60, 120, 180, 255].map((value) =>
      new Float32Array(3 * 112 * 112).fill(normalise(value)),
    );
    const embeddings = await embed(even);
    for (const embedding of embeddings) expect(Math.hypot(...embedding)).toBeGreaterThan(10);
    expect(maxCosine(embeddings)).toBeLessThan(0.5);
  });

  it('matches a picture to itself in another format', async () => {
    for (const picture of await generatedPictures()) {
      const [original] = await embed([centreCrop(picture)]);
      const image = () =>
        sharp(picture.pixels, { raw: { width: picture.width, height: picture.height, channels: 3 } });
      const lossless = [await image().png().toBuffer(), await image().webp({ lossless: true }).toBuffer()];
      for (const encoded of lossless) {
        const [again] = await embed([centreCrop(await decode(encoded))]);
        expect(cosine(original as Float32Array, again as Float32Array)).toBeGreaterThan(0.9999);
      }
      const [jpeg] = await embed([centreCrop(await decode(await image().jpeg({ quality: 90 }).toBuffer()))]);
      expect(cosine(original as Float32Array, jpeg as Float32Array)).toBeGreaterThan(0.98);
    }
  });

  it('distinguishes different pictures', async () => {
    const embeddings = await embed((await generatedPictures()).map(centreCrop));
    expect(maxCosine(embeddings)).toBeLessThan(0.5);
  });

  it.skipIf(!existsSync(LFW))(
    'distinguishes 40 photographs of one layout, and matches each to its JPEG version',
    async () => {
      const files = readdirSync(LFW)
        .filter((name) => name.endsWith('.jpg'))
        .slice(0, 40);
      const pictures = await Promise.all(files.map((name) => decode(readFileSync(LFW + name))));
      const embeddings = await embed(pictures.map(centreCrop));
      expect(maxCosine(embeddings)).toBeLessThan(0.5);
      for (const [i, { pixels, width, height }] of pictures.entries()) {
        const jpeg = await sharp(pixels, { raw: { width, height, channels: 3 } })
          .jpeg({ quality: 90 })
          .toBuffer();
        const [again] = await embed([centreCrop(await decode(jpeg))]);
        expect(cosine(embeddings[i] as Float32Array, again as Float32Array)).toBeGreaterThan(0.98);
      }
    },
  );
});

/** Blobs, hard-edged patches, gradients between four corners, and pure noise; several of each. */
async function generatedPictures(): Promise<Picture[]> {
  const pictures: Picture[] = [];
  for (const seed of [1, 2, 3, 4]) {
    for (const [width, height, kernel] of [
      [6, 6, 'cubic'],
      [5, 4, 'nearest'],
      [2, 2, 'linear'],
    ] as const) {
      const { pixels } = noise(width, height, seed * 77 + width);
      const enlarged = sharp(pixels, { raw: { width, height, channels: 3 } }).resize(320, 260, {
        fit: 'fill',
        kernel,
      });
      pictures.push(await decode(await enlarged.png().toBuffer()));
    }
    pictures.push(noise(250, 250, seed));
  }
  return pictures;
}

const normalise = (value: number) => (value - 127.5) / 127.5;

/** The recogniser's input for the middle of a picture, where the detector finds its face. */
function centreCrop(picture: Picture): Float32Array {
  const side = Math.min(picture.width, picture.height) / 2;
  const left = (picture.width - side) / 2;
  const top = (picture.height - side) / 2;
  const crop = new Float32Array(3 * 112 * 112);
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < 112; y++) {
      for (let x = 0; x < 112; x++) {
        crop[(channel * 112 + y) * 112 + x] = normalise(
          sample(picture, left, top, side / 112, x, y, channel),
        );
      }
    }
  }
  return crop;
}

async function embed(crops: Float32Array[]): Promise<Float32Array[]> {
  const input = new Float32Array(crops.length * 3 * 112 * 112);
  for (const [i, crop] of crops.entries()) input.set(crop, i * crop.length);
  const outputs = await recogniser.run({
    [recogniser.inputNames[0] as string]: new ort.Tensor('float32', input, [crops.length, 3, 112, 112]),
  });
  const data = outputs[recogniser.outputNames[0] as string]?.data as Float32Array;
  expect(data.length).toBe(crops.length * 512);
  return crops.map((_, i) => data.subarray(i * 512, (i + 1) * 512));
}

function cosine(a: Float32Array, b: Float32Array): number {
  let dot = 0;
  for (const [i, value] of a.entries()) dot += value * (b[i] as number);
  return dot / (Math.hypot(...a) * Math.hypot(...b));
}

/** The maximum cosine between two of them. */
function maxCosine(embeddings: Float32Array[]): number {
  let max = -1;
  for (const [i, a] of embeddings.entries()) {
    for (const b of embeddings.slice(i + 1)) max = Math.max(max, cosine(a, b));
  }
  return max;
}
