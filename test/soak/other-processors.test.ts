import { afterEach, describe, expect, it } from 'vitest';
import { cosine } from '../support/numbers.ts';
import { overlap } from '../support/overlap.ts';
import { type GoldenFace, goldenImages, hasRealWeights, photo } from '../support/shared.ts';
import { ordinaryPictures } from './pictures/ordinary.ts';
import { CAMPAIGN, report, reportSkipped } from './support/campaign.ts';
import { Client } from './support/client.ts';
import { PROCESSORS } from './support/processors.ts';
import { Target } from './support/target.ts';
import { embedRequest } from './support/usual.ts';

/** Emulation takes a minute to load the weights, and half a minute for each photograph. */
const HOURS_MS = 6 * 3_600_000;

interface AnsweredFace {
  embedding: string;
  bbox: { x: number; y: number; width: number; height: number };
  detection_score: number;
  landmarks: [number, number][];
}

let target: Target | undefined;
let client: Client | undefined;
afterEach(async () => {
  client?.close();
  await target?.end();
  [target, client] = [undefined, undefined];
});

async function startOn(command: readonly string[]): Promise<Client> {
  // The command of this processor, which is appended, is left out.
  const wrapper = ['sh', '-c', `exec ${command.map((part) => `'${part}'`).join(' ')}`, 'sh'];
  target = new Target({ WORKERS: '1', LONE_REQUEST_THREADS: '1', WORKER_TIMEOUT_MS: '3600000' }, { wrapper });
  for (let attempt = 0; ; attempt++) {
    try {
      await target.start();
      break;
    } catch (error) {
      if (attempt === 9 || target.hasEnded) throw error;
    }
  }
  client = new Client(target.address);
  return client;
}

const numbersOf = (embedding: string) =>
  new Float32Array(new Uint8Array(Buffer.from(embedding, 'base64')).buffer);

const boxOf = ({ bbox: { x, y, width, height } }: AnsweredFace) => ({
  left: x,
  top: y,
  right: x + width,
  bottom: y + height,
});

async function facesOf(caller: Client, picture: Uint8Array): Promise<AnsweredFace[]> {
  const { status, body, failure } = await caller.send(embedRequest(picture));
  expect(status, failure ?? body.toString('latin1', 0, 300)).toBe(200);
  return JSON.parse(body.toString()).faces;
}

describe.skipIf(!hasRealWeights).each(PROCESSORS)('on $name', ({ name, prepare }) => {
  it('photographs get the golden faces and embeddings, and every format is decoded', {
    timeout: HOURS_MS,
  }, async ({ skip }) => {
    const prepared = prepare();
    if ('missing' in prepared) {
      reportSkipped(`Processor ${name}`, prepared.missing);
      skip(prepared.missing);
      return;
    }
    const native = await new Target().start();
    const nativeClient = new Client(native.address);
    const pictures = await ordinaryPictures();
    const expected = new Map<string, AnsweredFace[]>();
    for (const { name: picture, bytes } of pictures)
      expected.set(picture, await facesOf(nativeClient, bytes));
    nativeClient.close();
    await native.end();

    const started = performance.now();
    const caller = await startOn(prepared.command);
    const ready = performance.now();
    const images = goldenImages();
    const step = Math.max(1, Math.floor(images.length / CAMPAIGN.photographs));
    const chosen = images.filter((_, index) => index % step === 0).slice(0, CAMPAIGN.photographs);
    const figures = { cosine: 1, score: 0, landmark: 0, faces: 0 };
    for (const { file, faces: golden } of chosen) {
      const faces = await facesOf(caller, photo(file));
      expect(faces.length, file).toBe(golden.length);
      for (const one of golden) compareWithGolden(one, faces, figures);
    }
    const formats = { checked: 0, cosine: 1 };
    for (const { name: picture, bytes } of pictures) {
      const faces = await facesOf(caller, bytes);
      const known = expected.get(picture) as AnsweredFace[];
      expect(faces.length, picture).toBe(known.length);
      for (const [index, face] of faces.entries()) {
        const same = cosine(numbersOf(face.embedding), numbersOf((known[index] as AnsweredFace).embedding));
        formats.cosine = Math.min(formats.cosine, same);
      }
      formats.checked++;
    }
    report(`Processor ${name}`, {
      photographs: chosen.length,
      ...figures,
      formats,
      seconds: {
        toReady: Math.round((ready - started) / 1_000),
        all: Math.round((performance.now() - started) / 1_000),
      },
    });
    expect(figures.cosine).toBeGreaterThanOrEqual(0.999);
    expect(figures.score).toBeLessThanOrEqual(0.01);
    expect(figures.landmark).toBeLessThanOrEqual(0.01);
    expect(formats.cosine).toBeGreaterThanOrEqual(0.999);
    expect(target?.complaints.filter((line) => !line.startsWith('qemu-'))).toEqual([]);
  });
});

if (!hasRealWeights) reportSkipped('Other processors', 'There are no real weights and golden photographs.');

/** @param figures the largest differences so far. */
function compareWithGolden(
  golden: GoldenFace,
  faces: AnsweredFace[],
  figures: { cosine: number; score: number; landmark: number; faces: number },
): void {
  const [face] = faces.toSorted((a, b) => overlap(golden.box, boxOf(b)) - overlap(golden.box, boxOf(a))) as [
    AnsweredFace,
  ];
  expect(overlap(golden.box, boxOf(face))).toBeGreaterThan(0.9);
  const { left, top, right, bottom } = golden.box;
  const diagonal = Math.hypot(right - left, bottom - top);
  const distances = golden.landmarks.map(([x, y], index) => {
    const [ownX, ownY] = face.landmarks[index] as [number, number];
    return Math.hypot(x - ownX, y - ownY) / diagonal;
  });
  figures.cosine = Math.min(figures.cosine, cosine(golden.embedding, numbersOf(face.embedding)));
  figures.score = Math.max(figures.score, Math.abs(golden.score - face.detection_score));
  figures.landmark = Math.max(figures.landmark, ...distances);
  figures.faces++;
}
