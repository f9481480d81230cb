import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp, { type OverlayOptions } from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { resolvePack } from '../../src/packs/resolve.ts';
import { decodePicture } from '../../src/vision/decode/decode.ts';
import type { BoundingBox } from '../../src/vision/detect/face.ts';
import { loadNetworks, type Networks } from '../../src/vision/networks.ts';
import type { Picture } from '../../src/vision/picture.ts';
import { TURNS, turnPicture } from '../../src/vision/upright/turn.ts';
import { findUpright } from '../../src/vision/upright/upright.ts';
import { seededRandom } from '../support/numbers.ts';
import { overlap } from '../support/overlap.ts';
import { LITE, liteModels } from '../support/packs/lite-models.ts';
import { FACES, hasRealWeights, MODELS, photo } from '../support/shared.ts';

const THRESHOLD = 0.5;
/** Side of the photographs, in pixels. */
const SIDE = 250;

const modelsDir = hasRealWeights ? await liteModels() : undefined;

async function open(name: string, folder: string): Promise<Networks> {
  const pack = await resolvePack({ name, modelsDir: folder });
  return loadNetworks({
    pack,
    device: 'cpu',
    intraOpThreads: 1,
    loneRequestThreads: 1,
    detectionSizes: [128, 640],
    rewrites: true,
  });
}

interface Portrait {
  bytes: Uint8Array<ArrayBuffer>;
  picture: Picture;
  /** Of its only face. */
  box: BoundingBox;
}

describe.skipIf(modelsDir === undefined)(`what the detector of ${LITE} finds`, () => {
  const portraits: Portrait[] = [];
  let lite: Networks;
  let scrfd: Networks;

  beforeAll(async () => {
    lite = await open(LITE, modelsDir as string);
    scrfd = await open('buffalo_sc_dq', MODELS);
    const files = readdirSync(join(FACES, 'lfw')).filter((file) => file.endsWith('.jpg'));
    for (const [index, file] of files.entries()) {
      if (index % 5 > 0) continue;
      const bytes = photo(`lfw/${file}`);
      const picture = await decodePicture(bytes, 1e6, {});
      const [face, ...others] = await scrfd.detector.detectFaces(picture, THRESHOLD);
      if (face && others.length === 0) portraits.push({ bytes, picture, box: face.box });
    }
  });

  /** Photographs side by side, chosen at random. @returns the picture, and where each face is in it. */
  async function mosaic(width: number, height: number, columns: number, random: () => number) {
    const side = Math.floor(width / columns);
    const rows = Math.floor(height / side);
    const boxes: BoundingBox[] = [];
    const tiles: OverlayOptions[] = [];
    for (let cell = 0; cell < columns * rows; cell++) {
      const { bytes, box } = portraits[Math.floor(random() * portraits.length)] as Portrait;
      const [left, top] = [(cell % columns) * side, Math.floor(cell / columns) * side];
      tiles.push({ input: await sharp(bytes).resize(side).toBuffer(), left, top });
      const scale = side / SIDE;
      boxes.push({
        left: left + scale * box.left,
        top: top + scale * box.top,
        right: left + scale * box.right,
        bottom: top + scale * box.bottom,
      });
    }
    const canvas = { create: { width, height, channels: 3, background: '#000' } } as const;
    const png = await sharp(canvas).composite(tiles).png().toBuffer();
    return { picture: await decodePicture(new Uint8Array(png), 1e7, {}), boxes };
  }

  it.each([
    { width: 1280, height: 960, columns: 4, floor: 0.99 },
    { width: 1280, height: 960, columns: 8, floor: 0.95 },
    { width: 1280, height: 960, columns: 12, floor: 0.6 },
    { width: 960, height: 1280, columns: 3, floor: 0.98 },
    { width: 960, height: 1280, columns: 6, floor: 0.85 },
    { width: 960, height: 1280, columns: 9, floor: 0.25 },
    { width: 720, height: 1280, columns: 4, floor: 0.85 },
  ])('$columns faces in each row of $width×$height', async ({ width, height, columns, floor }) => {
    const random = seededRandom(columns);
    const found = { lite: 0, scrfd: 0 };
    const others = { lite: 0, scrfd: 0 };
    let faces = 0;
    for (let scene = 0; scene < 4; scene++) {
      const { picture, boxes } = await mosaic(width, height, columns, random);
      faces += boxes.length;
      for (const [name, { detector }] of Object.entries({ lite, scrfd }) as ['lite' | 'scrfd', Networks][]) {
        const detected = await detector.detectFaces(picture, THRESHOLD);
        const hits = boxes.filter((box) => detected.some((face) => overlap(box, face.box) > 0.35)).length;
        found[name] += hits;
        others[name] += detected.length - hits;
      }
    }
    const percent = (count: number) => `${((100 * count) / faces).toFixed(0)} %`;
    // LFW's faces are about 0.4 of the side of a photograph.
    const share = ((100 * 0.4 * width) / columns / Math.max(width, height)).toFixed(1);
    console.log(
      `${width}×${height}, ${faces} faces ${share} % of the longer side wide: ${percent(found.lite)}, ${others.lite} others; ` +
        `SCRFD ${percent(found.scrfd)}, ${others.scrfd} others`,
    );
    expect(found.lite / faces).toBeGreaterThanOrEqual(floor);
    expect(others.lite / faces).toBeLessThan(0.05);
  });

  it('turned photographs, of which it turns those on their sides, and upright ones, of which it turns none', async () => {
    const detectFaces = (picture: Picture) => lite.detector.detectFaces(picture, THRESHOLD);
    const upright = async (picture: Picture) =>
      (await findUpright({ picture, faces: await detectFaces(picture) }, lite.detector, detectFaces))
        .rotation;
    const right = { 90: 0, 180: 0, 270: 0 };
    let harmed = 0;
    for (const { picture } of portraits) {
      if (await upright(picture)) harmed += 1;
      for (const turn of TURNS)
        if ((await upright(turnPicture(picture, turn))) === 360 - turn) right[turn] += 1;
    }
    console.log(
      `${portraits.length} photographs: ${harmed} turned though upright; turned back: ${JSON.stringify(right)}`,
    );
    expect(harmed / portraits.length).toBeLessThan(0.02);
    expect(right[90] / portraits.length).toBeGreaterThan(0.75);
    expect(right[270] / portraits.length).toBeGreaterThan(0.75);
  });
});
