import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodePicture } from '../../src/vision/decode/decode.ts';
import type { FaceBox } from '../../src/vision/detect/face.ts';
import type { FaceDetector } from '../../src/vision/detect/face-detector.ts';
import { selectFaces } from '../../src/vision/detect/selection.ts';
import type { PictureWithFace } from './pictures.ts';

export const THRESHOLD = 0.5;
export const MAX_PIXELS = 5e7;

/** Threshold for painting over what may be a face. */
const LOW_THRESHOLD = 0.2;

/** An upright photograph of a person. */
export interface Photo extends PictureWithFace {
  file: string;
  /** The encoded photograph. */
  bytes: Uint8Array;
  /** All that looks like a face, best score first. */
  faces: FaceBox[];
}

/** Names of the photographs in a folder, every `step`th of them. */
export function listPhotos(folder: string, step: number): string[] {
  const files = readdirSync(folder).filter((name) => /\.(jpe?g|png)$/i.test(name));
  return files.sort().filter((_, index) => index % step === 0);
}

/** Reads photographs one by one, and leaves out those without a face. */
export async function* readPhotos(
  folder: string,
  files: readonly string[],
  detector: FaceDetector,
): AsyncGenerator<Photo> {
  for (const file of files) {
    const bytes = new Uint8Array(readFileSync(join(folder, file)));
    const { data, width, height } = await decodePicture(bytes, MAX_PIXELS);
    const picture = { data, width, height };
    const faces = await detector.detectFaces(picture, LOW_THRESHOLD);
    const found = faces.filter(({ score }) => score >= THRESHOLD);
    if (found.length === 0) continue;
    const [{ box } = { box: { left: 0, top: 0, right: 0, bottom: 0 } }] = selectFaces(
      found,
      'largest',
      picture,
    );
    yield { ...picture, file, bytes, faces, face: box };
  }
}
