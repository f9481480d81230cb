import { decodePicture } from './decode.ts';
import type { DetectedFace, FaceDetector } from './detector.ts';
import type { FaceRecogniser } from './recogniser.ts';
import { type DetectionMode, type FaceSelection, isSureChoice, selectFaces } from './selection.ts';
import type { VisionStage } from './stages.ts';

export interface EmbedOptions {
  selection: FaceSelection;
  /** `fast` is for the selection `largest` alone. */
  detection: DetectionMode;
  /** Least detection score, 0..1. */
  detectionThreshold: number;
  /** Most faces that are embedded. */
  maxFaces: number;
  /** Most pixels that are decoded. */
  maxPixels: number;
}

export interface EmbeddedFace extends DetectedFace {
  /** L2 norm 1. */
  embedding: Float32Array<ArrayBuffer>;
}

export interface EmbedResult {
  /** Size in pixels of the upright picture, to which all coordinates refer. */
  image: { width: number; height: number };
  /** Best detection score first; exactly one for the selections `single` and `largest`. */
  faces: EmbeddedFace[];
  /** Faces that were detected and wanted, but are beyond `maxFaces`. */
  omitted: number;
  /** Milliseconds spent in each stage. */
  timings: Record<VisionStage, number>;
}

/**
 * From an encoded image to embeddings: decode, detect, select, align, recognise.
 *
 * @param alone whether the cores have nothing else to do.
 * @throws {ServiceError} for an image that cannot be used or has not the faces asked for.
 */
export async function embedFaces(
  image: Uint8Array,
  options: EmbedOptions,
  { detector, recogniser }: { detector: FaceDetector; recogniser: FaceRecogniser },
  { alone = false } = {},
): Promise<EmbedResult> {
  const timings = { decode: 0, detect: 0, align: 0, recognise: 0 };
  let last = performance.now();
  const lap = (stage: keyof typeof timings) => {
    const now = performance.now();
    timings[stage] += now - last;
    last = now;
  };

  const picture = await decodePicture(image, options.maxPixels);
  lap('decode');
  const isEnough = (faces: DetectedFace[], scale: number) => isSureChoice(faces, picture, scale);
  const fast = options.detection === 'fast' && options.selection === 'largest';
  const detected = await detector.detectFaces(picture, options.detectionThreshold, {
    alone,
    ...(fast ? { isEnough } : {}),
  });
  lap('detect');
  const wanted = selectFaces(detected, options.selection, picture);
  const faces: EmbeddedFace[] = [];
  for (const face of wanted.slice(0, options.maxFaces)) {
    recogniser.alignFace(picture, face.landmarks);
    lap('align');
    const embedding = await recogniser.embedAligned();
    lap('recognise');
    faces.push({ ...face, embedding });
  }
  const { width, height } = picture;
  return { image: { width, height }, faces, omitted: wanted.length - faces.length, timings };
}
