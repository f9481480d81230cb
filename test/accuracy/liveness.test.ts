import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InferenceEngine } from '../../src/engine/inference-engine.ts';
import type { BoundingBox } from '../../src/vision/detect/face.ts';
import { testConfig } from '../support/engine/engines.ts';
import { startRealEngine } from '../support/engine/real-engine.ts';
import { answerOf } from '../support/http/answer.ts';
import { assembleApp } from '../support/http/app.ts';
import { hasRealWeights, MODELS, photo } from '../support/shared.ts';

const NETWORKS = [
  { file: 'liveness/minifasnet_v2_2.7_80x80.onnx', boxes: 2.7 },
  { file: 'liveness/minifasnet_v1se_4.0_80x80.onnx', boxes: 4 },
];

interface Raw {
  data: Buffer;
  width: number;
  height: number;
}

/** minivision's crop and OpenCV's bilinear resize in plain arithmetic, as planes of blue, green and red. */
function cropOf({ data, width, height }: Raw, { left, top, right, bottom }: BoundingBox, boxes: number) {
  const [w, h] = [right - left, bottom - top];
  const scale = Math.min((height - 1) / h, (width - 1) / w, boxes);
  const span = (centre: number, length: number, end: number) => {
    const start = Math.max(0, Math.min(centre - length / 2, end - length));
    return [Math.floor(start), Math.floor(start + length)] as [number, number];
  };
  const [x0, x1] = span(left + w / 2, w * scale, width - 1);
  const [y0, y1] = span(top + h / 2, h * scale, height - 1);
  const planes = new Float32Array(3 * 80 * 80);
  const at = (x: number, y: number, channel: number) => data[(y * width + x) * 3 + channel] as number;
  const place = (index: number, from: number, to: number) => {
    const position = Math.min(Math.max(((index + 0.5) * (to - from + 1)) / 80 - 0.5, 0), to - from);
    const first = Math.floor(position);
    return { first: from + first, second: Math.min(from + first + 1, to), part: position - first };
  };
  for (let y = 0; y < 80; y++) {
    for (let x = 0; x < 80; x++) {
      const [across, down] = [place(x, x0, x1), place(y, y0, y1)];
      for (let channel = 0; channel < 3; channel++) {
        const row = (line: number) =>
          (1 - across.part) * at(across.first, line, channel) +
          across.part * at(across.second, line, channel);
        const level = (1 - down.part) * row(down.first) + down.part * row(down.second);
        planes[(2 - channel) * 6400 + y * 80 + x] = Math.round(level);
      }
    }
  }
  return planes;
}

async function plainScore(picture: Raw, box: BoundingBox): Promise<number> {
  let sum = 0;
  for (const { file, boxes } of NETWORKS) {
    const session = await ort.InferenceSession.create(join(MODELS, file));
    const input = new ort.Tensor('float32', cropOf(picture, box, boxes), [1, 3, 80, 80]);
    const { output } = await session.run({ input });
    const powers = Array.from(output?.data as Float32Array, Math.exp);
    sum += (powers[1] as number) / powers.reduce((a, b) => a + b);
  }
  return sum / NETWORKS.length;
}

describe.skipIf(!hasRealWeights)('the liveness of photographs, with the MiniFASNet pair', () => {
  let engine: InferenceEngine;
  let app: ReturnType<typeof assembleApp>['app'];
  const settings = { LIVENESS_MODEL: NETWORKS.map(({ file }) => file).join(','), LIVENESS_THRESHOLD: '0.6' };

  beforeAll(async () => {
    engine = await startRealEngine(settings);
    ({ app } = assembleApp(testConfig(settings), engine));
  });
  afterAll(() => engine?.close());

  const send = async (name: string, query: string) =>
    answerOf(
      await app.request(`/v1/embed?${query}`, {
        method: 'POST',
        headers: { 'Content-Type': 'image/jpeg' },
        body: photo(`liveness/${name}.jpg`),
      }),
    );

  it.each([
    ['live_1', 0.9, 1],
    ['spoof_1', 0, 0.3],
    ['spoof_2', 0, 0.3],
  ])('%s scores from %d to %d, as a plain computation of the same crops', async (name, low, high) => {
    const { status, body } = await send(name, 'liveness=report');
    expect(status).toBe(200);
    const { score, live } = body.liveness;
    expect(score).toBeGreaterThanOrEqual(low);
    expect(score).toBeLessThan(high);
    expect(live).toBe(low > 0.5);

    const { data, info } = await sharp(photo(`liveness/${name}.jpg`))
      .autoOrient()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const { x, y, width, height } = body.bbox;
    const box = { left: x, top: y, right: x + width, bottom: y + height };
    const plain = await plainScore({ data, width: info.width, height: info.height }, box);
    expect(Math.abs(score - plain)).toBeLessThan(0.01);
  });

  it('gives no score to a spoof that is blurred until nothing tells it from a face', async () => {
    const body = await sharp(photo('liveness/spoof_1.jpg'))
      .autoOrient()
      .blur(8)
      .jpeg({ quality: 80 })
      .toBuffer();
    const headers = { 'Content-Type': 'image/jpeg' };
    const init = { method: 'POST', headers, body: new Uint8Array(body) };
    const { liveness } = (await answerOf(await app.request('/v1/embed?liveness=report', init))).body;
    expect([liveness.score, liveness.reason]).toEqual([null, 'TOO_BLURRED']);
  });

  it('refuses the spoofs where a live face is required, and changes no embedding', async () => {
    const [required, off] = [await send('live_1', 'liveness=require'), await send('live_1', '')];
    expect(required.status).toBe(200);
    const { liveness, ...rest } = required.body;
    expect(rest).toEqual(off.body);
    expect(off.body.liveness).toBeUndefined();
    expect(liveness.live).toBe(true);
    for (const name of ['spoof_1', 'spoof_2']) {
      const { status, body } = await send(name, 'liveness=require');
      expect([status, body.error_code]).toEqual([422, 'LIVENESS_FAILED']);
    }
  });
});
