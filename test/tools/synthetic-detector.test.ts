import * as ort from 'onnxruntime-node';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { generateSyntheticPack } from '../../tools/synthetic/pack.ts';
import { decode, noise, type Picture, sample } from './synthetic-pictures.ts';

interface Candidate {
  score: number;
  /** left, top, right, bottom in pixels of the picture */
  box: number[];
  landmarks: number[];
}

let detector: ort.InferenceSession;

beforeAll(async () => {
  const { detector: bytes } = generateSyntheticPack();
  detector = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1 });
});

describe('the synthetic detector', () => {
  const shapes = [
    [50, 50],
    [112, 112],
    [250, 250],
    [300, 200],
    [201, 333],
    [640, 480],
    [1600, 400],
    [97, 388],
    [4000, 3000],
  ] as const;

  it.each(shapes)(
    'detects one face in the middle of a picture of %i×%i, the same at both input sizes',
    async (w, h) => {
      const picture = noise(w, h, 1);
      const passes = [await detect(picture, 128), await detect(picture, 640)];
      for (const found of passes) {
        expect(found).toHaveLength(1);
        const { box, score } = found[0] as Candidate;
        const [left = 0, top = 0, right = 0, bottom = 0] = box;
        const side = Math.min(w, h) / 2;
        expect(score).toBeGreaterThan(0.85);
        expect(Math.abs((left + right) / 2 - w / 2)).toBeLessThan(side * 0.03);
        expect(Math.abs((top + bottom) / 2 - h / 2)).toBeLessThan(side * 0.03);
        expect((right - left) / side).toBeCloseTo(1, 1);
        expect((bottom - top) / side).toBeCloseTo(1, 1);
      }
      const [small, large] = passes.map(([face]) => face as Candidate) as [Candidate, Candidate];
      expect(overlap(small.box, large.box)).toBeGreaterThan(0.9);
      expect(large.score).toBeGreaterThan(small.score);
    },
  );

  it('detects the face of a very narrow picture at the larger input size only', async () => {
    const strip = noise(1200, 100, 1);
    expect(await detect(strip, 128)).toEqual([]);
    expect(await detect(strip, 640)).toHaveLength(1);
  });

  it('encodes the same box in every cell, so that a threshold of 0 gives no second face', async () => {
    const all = await detect(noise(300, 200, 1), 128, -1);
    expect(all).toHaveLength((16 * 16 + 8 * 8 + 4 * 4) * 2);
    for (const { box } of all) expect(overlap(box, all[0]?.box ?? [])).toBeGreaterThan(0.999);
  });

  it("places ArcFace's landmarks in the box, so that the aligned crop equals its content", async () => {
    const [face] = await detect(noise(250, 250, 1), 640);
    const [left = 0, top = 0, right = 0] = face?.box ?? [];
    const inCrop = face?.landmarks.map((value, i) => ((value - (i % 2 ? top : left)) / (right - left)) * 112);
    const template = [
      38.2946, 51.6963, 73.5318, 51.5014, 56.0252, 71.7366, 41.5493, 92.3655, 70.7299, 92.2041,
    ];
    for (const [i, value] of template.entries()) expect(inCrop?.[i]).toBeCloseTo(value, 2);
  });

  const colours = { black: [0, 0, 0], white: [255, 255, 255], grey: [90, 90, 90], red: [255, 0, 0] };
  it.each(Object.entries(colours))(
    'detects no face in a blank picture: %s',
    async (_, [r = 0, g = 0, b = 0]) => {
      for (const [width, height] of [
        [250, 250],
        [400, 100],
        [120, 300],
      ] as const) {
        const blank = sharp({ create: { width, height, channels: 3, background: { r, g, b } } });
        for (const quality of [undefined, 50]) {
          const encoded =
            quality === undefined ? await blank.png().toBuffer() : await blank.jpeg({ quality }).toBuffer();
          const picture = await decode(encoded);
          for (const size of [128, 640]) expect(await detect(picture, size, 0.001)).toEqual([]);
        }
      }
    },
  );

  it('treats faint noise on an even surface as blank', async () => {
    const faint = noise(250, 200, 3);
    faint.pixels.forEach((value, i) => {
      faint.pixels[i] = 200 + (value % 5);
    });
    for (const size of [128, 640]) expect(await detect(faint, size)).toEqual([]);
  });
});

async function detect(picture: Picture, size: number, threshold = 0.5): Promise<Candidate[]> {
  const scale = size / Math.max(picture.width, picture.height);
  const width = Math.floor(picture.width * scale);
  const height = Math.floor(picture.height * scale);
  const input = new Float32Array(3 * size * size).fill(-127.5 / 128);
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const value = sample(picture, 0, 0, 1 / scale, x, y, channel);
        input[(channel * size + y) * size + x] = (value - 127.5) / 128;
      }
    }
  }
  const outputs = await detector.run({
    [detector.inputNames[0] as string]: new ort.Tensor('float32', input, [1, 3, size, size]),
  });
  const tensors = detector.outputNames.map((name) => outputs[name]?.data as Float32Array);
  const candidates: Candidate[] = [];
  for (const [level, stride] of [8, 16, 32].entries()) {
    const [scores, boxes, landmarks] = [tensors[level], tensors[level + 3], tensors[level + 6]];
    const cells = size / stride;
    expect(scores?.length).toBe(cells * cells * 2);
    scores?.forEach((score, anchor) => {
      if (score < threshold) return;
      const cell = Math.floor(anchor / 2);
      const centre = [(cell % cells) * stride, Math.floor(cell / cells) * stride] as const;
      const distance = (tensor: Float32Array | undefined, columns: number, i: number) =>
        (tensor?.[anchor * columns + i] ?? Number.NaN) * stride;
      const box = [-1, -1, 1, 1].map(
        (sign, i) => (centre[(i % 2) as 0 | 1] + sign * distance(boxes, 4, i)) / scale,
      );
      const points = Array.from(
        { length: 10 },
        (_, i) => (centre[(i % 2) as 0 | 1] + distance(landmarks, 10, i)) / scale,
      );
      candidates.push({ score, box, landmarks: points });
    });
  }
  return candidates;
}

/** Intersection over union. */
function overlap(a: number[], b: number[]): number {
  const [al = 0, at = 0, ar = 0, ab = 0] = a;
  const [bl = 0, bt = 0, br = 0, bb = 0] = b;
  const shared =
    Math.max(0, Math.min(ar, br) - Math.max(al, bl)) * Math.max(0, Math.min(ab, bb) - Math.max(at, bt));
  return shared / ((ar - al) * (ab - at) + (br - bl) * (bb - bt) - shared);
}
