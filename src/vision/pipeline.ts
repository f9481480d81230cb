import { ServiceError } from '../errors.ts';
import type { VisionStage } from '../observability/stages.ts';
import { decodePicture } from './decode/decode.ts';
import type { DetectedFace, FaceBox, FaceDetector } from './detect/detector.ts';
import { type DetectionMode, type FaceSelection, isSureChoice, selectFaces } from './detect/selection.ts';
import {
  type EmbeddedFace,
  embedFace,
  type FaceNetworks,
  type FaceOptions,
  type RefusedFace,
} from './embed-face.ts';

export type { EmbeddedFace, RefusedFace };

export interface EmbedOptions extends FaceOptions {
  selection: FaceSelection;
  /** `fast` is for the selection `largest` alone. */
  detection: DetectionMode;
  /** Least detection score, 0..1. */
  detectionThreshold: number;
  /** Most faces that are embedded. */
  maxFaces: number;
  /** Most pixels that are decoded. */
  maxPixels: number;
  /** Pixels that the longer side of a JPEG keeps when it is decoded at a reduced size; 0 decodes in full. */
  reducedSide?: number | undefined;
}

export interface EmbedResult {
  /** Size in pixels of the upright picture, to which all coordinates refer. */
  image: { width: number; height: number };
  /** Best detection score first; exactly one for the selections `single` and `largest`. */
  faces: EmbeddedFace[];
  /** Faces below a limit of the request, best detection score first; only with the selection `all`. */
  refused: RefusedFace[];
  /** Faces that were detected and wanted, but are beyond `maxFaces`. */
  omitted: number;
  /** Milliseconds that the decoded picture waited for the one before it. */
  waited: number;
  /** Milliseconds spent in each stage. */
  timings: Record<VisionStage, number>;
}

/**
 * From an encoded image to embeddings: decode, detect, select, then align, measure and recognise each face.
 *
 * @param options.alone whether the cores have nothing else to do.
 * @param options.turn what must settle before the networks may be used: unless faces are batched, they take one picture at a
 *   time, while the next may be decoded.
 * @throws {ServiceError} for an image that cannot be used or has not the faces asked for; LOW_QUALITY for a face below
 *   a limit where the selection promises one face.
 */
export async function embedFaces(
  bytes: Uint8Array,
  options: EmbedOptions,
  { detector, ...networks }: { detector: FaceDetector } & FaceNetworks,
  { alone = false, turn }: { alone?: boolean; turn?: Promise<void> | undefined } = {},
): Promise<EmbedResult> {
  const timings = { decode: 0, detect: 0, align: 0, quality: 0, recognise: 0 };
  let last = performance.now();
  const lap = (stage: VisionStage) => {
    const now = performance.now();
    timings[stage] += now - last;
    last = now;
  };

  const picture = await decodePicture(bytes, options.maxPixels, options.reducedSide);
  const { original } = picture;
  const reduction = original.width / picture.width;
  lap('decode');
  const waited = turn === undefined ? 0 : await timed(turn);
  last += waited;
  const isEnough = (faces: readonly FaceBox[], scale: number) => isSureChoice(faces, picture, scale);
  const fast = options.detection === 'fast' && options.selection === 'largest';
  const detected = await detector.detectFaces(picture, options.detectionThreshold, {
    alone,
    ...(fast ? { isEnough } : {}),
  });
  lap('detect');
  const wanted = selectFaces(detected, options.selection, picture);
  const looked = wanted.slice(0, options.maxFaces);
  const embedOne = (face: DetectedFace) => embedFace(picture, face, options, networks, { alone, lap });
  const { facesPerRun } = networks.recogniser;
  const faces: EmbeddedFace[] = [];
  const refused: RefusedFace[] = [];
  for (const face of await inGroups(looked, facesPerRun, embedOne)) {
    if ('embedding' in face) faces.push(enlarge(face, reduction));
    else if (options.selection === 'all') refused.push(enlarge(face, reduction));
    else throw new ServiceError('LOW_QUALITY', { detail: face.lowQuality.join(', ') });
  }
  return { image: original, faces, refused, omitted: wanted.length - looked.length, waited, timings };
}

/** Milliseconds until it settles. */
async function timed(work: Promise<void>): Promise<number> {
  const started = performance.now();
  await work;
  return performance.now() - started;
}

/** From pixels of a picture that was decoded at a reduced size to those of the picture itself. */
function enlarge<F extends DetectedFace>(face: F, reduction: number): F {
  if (reduction === 1) return face;
  const { left, top, right, bottom } = face.box;
  return {
    ...face,
    box: {
      left: left * reduction,
      top: top * reduction,
      right: right * reduction,
      bottom: bottom * reduction,
    },
    landmarks: face.landmarks.map((coordinate) => coordinate * reduction),
  };
}

/** Works on so many items side by side, and on the next when they are done. @returns the results in the items' order. */
async function inGroups<Item, Result>(
  items: readonly Item[],
  size: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let from = 0; from < items.length; from += size) {
    results.push(...(await Promise.all(items.slice(from, from + size).map(work))));
  }
  return results;
}
