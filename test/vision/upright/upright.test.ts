import { expect, it } from 'vitest';
import type { DetectedFace } from '../../../src/vision/detect/face.ts';
import { SCRFD_SCALE } from '../../../src/vision/detect/scrfd/network.ts';
import type { Picture } from '../../../src/vision/picture.ts';
import { findUpright } from '../../../src/vision/upright/upright.ts';

// With a scripted detector; test/accuracy/orientation.test.ts turns photographs.

const picture: Picture = {
  data: new Uint8Array(4 * 2 * 3),
  width: 4,
  height: 2,
  original: { width: 4, height: 2 },
};

function face(score: number, roll = 0): DetectedFace {
  const radians = (roll * Math.PI) / 180;
  const landmarks = Float32Array.of(0, 0, Math.cos(radians), Math.sin(radians), 0, 0, 0, 0, 0, 0);
  return { score, box: { left: 0, top: 0, right: 1, bottom: 1 }, landmarks };
}

/** @param found the faces in each picture that is turned, in order. */
async function search(faces: DetectedFace[], scores: [number, number, number], ...found: DetectedFace[][]) {
  const asked: string[] = [];
  const detector = {
    scale: SCRFD_SCALE,
    scoreTurns: async () => {
      asked.push('turns');
      return scores;
    },
  };
  const result = await findUpright({ picture, faces }, detector, async ({ width, height }) => {
    asked.push(`${width}×${height}`);
    return found.shift() ?? [];
  });
  return { result, asked };
}

it('a sure and upright face is believed at once', async () => {
  const faces = [face(0.8, 30), face(0.5, 90)];
  const { result, asked } = await search(faces, [0.9, 0.9, 0.9]);
  expect(asked).toEqual([]);
  expect(result).toEqual({ picture, faces });
});

it('a picture is turned to where the coarse view has the best face, if the full search finds it, too', async () => {
  const better = [face(0.8)];
  const { result, asked } = await search([face(0.6)], [0.6, 0.2, 0.7], better);
  expect(asked).toEqual(['turns', '2×4']);
  expect(result).toMatchObject({ rotation: 270, faces: better, picture: { width: 2, height: 4 } });
});

it.each([
  ['finds nothing there', []],
  ['finds no better face there', [face(0.62)]],
])('a picture is not turned if the full search %s', async (_name, found) => {
  const faces = [face(0.6)];
  const { result, asked } = await search(faces, [0.7, 0.2, 0.3], found);
  expect(asked).toEqual(['turns', '2×4']);
  expect(result.picture).toBe(picture);
  expect(result.faces).toBe(faces);
  expect(result.rotation).toBeUndefined();
});

it('a picture without a face is looked at in the coarse view only', async () => {
  const { result, asked } = await search([], [0.4, 0.4, 0.4]);
  expect(asked).toEqual(['turns']);
  expect(result).toEqual({ picture, faces: [] });
});

it.each([
  ['leans clockwise', [face(0.9, 80)], 270],
  ['leans counterclockwise, not being the best', [face(0.6), face(0.5, -80)], 90],
  ['is upside down', [face(0.6, -170)], 180],
  ['is one of several, none of them sure', [face(0.6), face(0.55)], 180],
])(
  'a picture is turned by its faces where the coarse view sees none: a face %s',
  async (_name, faces, rotation) => {
    const { result } = await search(faces, [0.1, 0.1, 0.1], [face(0.96)]);
    expect(result.rotation).toBe(rotation);
  },
);
