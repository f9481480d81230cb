import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BoundingBox } from '../../src/vision/detect/face.ts';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Real weights and photographs; they are not part of the repository. */
const SHARED = join(ROOT, '..', 'shared');
export const MODELS = join(SHARED, 'models');
export const FACES = join(SHARED, 'faces');
export const hasRealWeights = existsSync(join(MODELS, 'buffalo_sc_dq'));
/** Weights with licences that allow more: YuNet and retail-0095, with a manifest. */
export const OPEN_PACK = 'open_s';
export const hasOpenWeights = existsSync(join(MODELS, OPEN_PACK));
if (process.env.REQUIRE_SHARED && !hasRealWeights) {
  throw new Error(`REQUIRE_SHARED is set, but ${join(MODELS, 'buffalo_sc_dq')} does not exist.`);
}

export const photo = (path: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(join(FACES, path)));

export interface GoldenFace {
  box: BoundingBox;
  score: number;
  landmarks: [number, number][];
  embedding: Float32Array;
}

export interface GoldenImage {
  file: string;
  width: number;
  height: number;
  faces: GoldenFace[];
}

/** The results of OpenCV's FaceDetectorYN and of ONNX Runtime with the pack open_s. */
export const OPEN_GOLDEN = ['open_s.json'];

/** Golden results; by default those of InsightFace's own Python package with the pack buffalo_sc_dq. */
export function goldenImages(names: readonly string[] = ['insightface.json', 'lfw.json']): GoldenImage[] {
  return names.flatMap((name) => {
    const { images } = JSON.parse(readFileSync(join(SHARED, 'golden', name), 'utf8'));
    for (const face of images.flatMap((image: GoldenImage) => image.faces)) {
      const [left, top, right, bottom] = face.bbox;
      face.box = { left, top, right, bottom };
      face.embedding = new Float32Array(new Uint8Array(Buffer.from(face.embedding, 'base64')).buffer);
    }
    return images as GoldenImage[];
  });
}
