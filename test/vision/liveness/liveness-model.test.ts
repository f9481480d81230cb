import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { resolveLiveness } from '../../../src/packs/liveness/weights.ts';
import type { FaceLiveness } from '../../../src/vision/liveness/liveness-model.ts';
import { LivenessModel, livenessFailure } from '../../../src/vision/liveness/liveness-model.ts';
import { liveProbability } from '../../../src/vision/liveness/network-input.ts';
import { type LivenessNetworkName, livenessNetwork } from '../../support/packs/liveness-networks.ts';
import { writeFiles } from '../../support/temporary-folder.ts';

/** A picture of one colour. */
function plain([red, green, blue]: [number, number, number], width = 400, height = 400) {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i += 3) data.set([red, green, blue], i);
  return { data, width, height };
}

const softmax = (logits: number[], index: number) =>
  Math.exp(logits[index] as number) / logits.reduce((sum, value) => sum + Math.exp(value), 0);

const sharpFace = {
  brightness: 0.5,
  contrast: 0.2,
  sharpness: 0.9,
  size: 100,
  pose: { roll: 0, yaw: 0, pitch: 0 },
  margin: 1,
};

/** A face with the proportions of ArcFace's template, whose box has this width. */
function faceAt(left: number, top: number, width: number) {
  const at = (x: number, y: number) => [left + x * width, top + y * width];
  return {
    box: { left, top, right: left + width, bottom: top + 1.25 * width },
    landmarks: Float32Array.from(
      [at(0.3, 0.5), at(0.7, 0.5), at(0.5, 0.75), at(0.34, 1), at(0.66, 1)].flat(),
    ),
  };
}

async function open(...names: LivenessNetworkName[]) {
  const modelsDir = await mkdtemp(join(tmpdir(), 'liveness-'));
  try {
    await writeFiles(
      modelsDir,
      Object.fromEntries(names.map((name) => [`${name}.onnx`, livenessNetwork(name)])),
    );
    const model = names.map((name) => `${name}.onnx`).join(',');
    return await LivenessModel.open(await resolveLiveness({ model, modelsDir }), 1);
  } finally {
    await rm(modelsDir, { recursive: true });
  }
}

const COLOUR: [number, number, number] = [140, 100, 60];
const [red, green, blue] = COLOUR;

describe.each<[LivenessNetworkName[], number]>([
  [['insightface'], (red + green + blue) / 3 / 255],
  [['facenox'], softmax([red / 20, green / 20], 0)],
  [
    ['minifasnetV2'],
    softmax(
      [blue, green, red].map((level) => 0.05 * level),
      1,
    ),
  ],
  [
    ['minifasnetV1Se', 'minifasnetV2'],
    (softmax(
      [blue, green, red].map((level) => 0.05 * level),
      1,
    ) +
      softmax(
        [blue, green, red].map((level) => 1 / (1 + Math.exp(-0.01 * level))),
        1,
      )) /
      2,
  ],
])('%s', (names, score) => {
  it('is fed in the order and on the scale of its family, and gives a probability', async () => {
    const model = await open(...names);
    const result = await model.assess(plain(COLOUR), faceAt(150, 120, 100), sharpFace, { required: false });
    expect(result).toEqual({ score: expect.closeTo(score, 4), live: null, model: model.name });
  });
});

describe('a liveness model', () => {
  let model: LivenessModel;
  beforeAll(async () => {
    model = await open('insightface');
  });
  const assess = (face = faceAt(150, 120, 100), quality = sharpFace, threshold?: number) =>
    model.assess(plain(COLOUR), face, quality, { required: true, threshold });

  it('is named by its family and its hash', () => {
    const hash = createHash('sha256').update(livenessNetwork('insightface')).digest('hex');
    expect(model.name).toBe(`insightface:${hash.slice(0, 12)}`);
  });

  it('judges by the threshold only', async () => {
    const { score } = await assess();
    expect((await assess(undefined, undefined, score as number)).live).toBe(true);
    expect((await assess(undefined, undefined, (score as number) + 1e-6)).live).toBe(false);
    expect((await assess()).live).toBeNull();
  });

  it.each([
    ['TOO_SMALL', faceAt(150, 120, 30), sharpFace],
    ['CUT_OFF', faceAt(340, 120, 100), sharpFace],
    ['TOO_BLURRED', faceAt(150, 120, 100), { ...sharpFace, sharpness: 0.05 }],
  ])('gives no score, and the reason %s', async (reason, face, quality) => {
    expect(await assess(face, quality, 0)).toEqual({ score: null, live: null, model: model.name, reason });
  });

  it('needs as many pixels as its input has, whichever the family', async () => {
    const sides = { facenox: 128 / 1.5 / 1.25, minifasnetV2: 80 / 2.7 } as const;
    for (const [name, side] of Object.entries(sides)) {
      const own = await open(name as LivenessNetworkName);
      const of = (width: number) =>
        own.assess(plain(COLOUR), faceAt(150, 120, width), sharpFace, { required: false });
      expect((await of(side - 1)).reason).toBe('TOO_SMALL');
      expect((await of(side + 1)).reason).toBeUndefined();
    }
  });

  it("takes MiniFASNet's shifted crop only if the box itself is in the picture", async () => {
    const own = await open('minifasnetV2');
    const at = async (left: number) =>
      (await own.assess(plain(COLOUR), faceAt(left, 120, 100), sharpFace, { required: false })).reason;
    expect(await at(325)).toBeUndefined();
    expect(await at(335)).toBe('CUT_OFF');
  });
});

it('is refused when it is loaded, by name, if what it gives is no probability', async () => {
  await expect(open('cutOffBeforeItsSigmoid')).rejects.toThrow(
    /^The liveness network cutOffBeforeItsSigmoid\.onnx cannot be used\. .*4, which is no probability/,
  );
});

describe('a face fails', () => {
  const face = (part: Partial<FaceLiveness>): FaceLiveness => ({
    score: 0.5,
    live: false,
    model: 'm',
    ...part,
  });
  it.each([
    [face({ live: true }), undefined],
    [face({ score: 0.123456 }), 'the score 0.1235 is below the threshold 0.9'],
    [face({ score: null, live: null, reason: 'CUT_OFF' }), 'no score: CUT_OFF'],
  ])('%o: %s', (liveness, failure) => {
    expect(livenessFailure(liveness, { required: true, threshold: 0.9 })).toBe(failure);
  });

  it('with a network that gives no probability', () => {
    expect(() => liveProbability([1.2], 'insightface')).toThrow('1.2, which is no probability');
    expect(() => liveProbability([Number.NaN, 1, 2], 'minifasnet')).toThrow('no probability');
    expect(() => liveProbability([1, 2, 3, 4], 'minifasnet')).toThrow('gives 4 numbers, expected are 3');
  });
});
