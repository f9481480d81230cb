import type { ORIENTATION_MODES } from '../config/settings.ts';
import { ServiceError, withStages } from '../errors.ts';
import type { VisionTimes } from '../observability/stages.ts';
import { type ColourProfiles, decodePicture } from './decode/decode.ts';
import type { DetectedFace, FaceBox } from './detect/face.ts';
import type { FaceDetector } from './detect/face-detector.ts';
import {
  type DetectionMode,
  type FaceSelection,
  isConfidentChoice,
  selectFaces,
} from './detect/selection.ts';
import { type EmbeddedAlignedFace, embedAlignedFace } from './embed-aligned.ts';
import {
  type EmbeddedFace,
  embedFace,
  type FaceNetworks,
  type FaceOptions,
  type LowQuality,
  type RefusedFace,
} from './embed-face.ts';
import type { Picture } from './picture.ts';
import { StageClock } from './stage-clock.ts';
import type { Turn } from './upright/turn.ts';
import { findUpright, type SearchedPicture } from './upright/upright.ts';

export type OrientationMode = (typeof ORIENTATION_MODES)[number];

export interface EmbedOptions extends FaceOptions {
  selection: FaceSelection;
  /** Whether the picture is an aligned face, which is embedded as it is; what concerns the search of faces then has no effect. */
  aligned?: boolean | undefined;
  /** `fast` applies to the selection `largest` only. */
  detection: DetectionMode;
  /** With `auto`, a picture whose faces are not upright is turned; `exif` by default. */
  orientation?: OrientationMode | undefined;
  /** Minimum detection score, 0..1. */
  detectionThreshold: number;
  /** Maximum number of faces to embed. */
  maxFaces: number;
  /** Maximum number of pixels to decode. */
  maxPixels: number;
  /** Whether colour profiles change colours. */
  colourProfiles?: ColourProfiles | undefined;
  /** Minimum length in pixels of a JPEG's longer side when it is decoded at a reduced size; 0 decodes in full. */
  reducedSide?: number | undefined;
}

export interface EmbedResult {
  /** Size in pixels of the upright picture, to which all coordinates refer. */
  image: { width: number; height: number };
  /** How far the picture was turned to be upright, after its EXIF orientation; absent if it was not turned. */
  rotation?: Turn | undefined;
  /** Best detection score first; exactly one for the selections `single` and `largest`. */
  faces: EmbeddedFace[];
  /** Faces that the request's limits or its `liveness` refuse, best detection score first; only with the selection `all`. */
  refused: RefusedFace[];
  /** The face of a picture that is an aligned face; there are no others then. */
  aligned?: EmbeddedAlignedFace;
  /** Number of selected faces beyond `maxFaces`. */
  omitted: number;
  /** Milliseconds that the decoded picture waited for the networks. */
  waited: number;
  /** Milliseconds spent in each stage. */
  timings: VisionTimes;
}

/**
 * From an encoded image to embeddings: decode, detect, select, then align, measure and recognise each face. An image that is an
 * aligned face is decoded, measured and recognised.
 *
 * @param run.coresIdle whether no other image is being processed, so that the sessions with more threads may run and two threads decode.
 * @param run.networksFree settles when this picture may use the networks. src/engine/inference-worker.ts explains both.
 * @throws {ServiceError} for an image that cannot be decoded or does not show the faces that the selection requires;
 *   LOW_QUALITY for a face below a limit, and LIVENESS_FAILED for one that is not live but has to be, where the selection promises
 *   one face. It has the times of the stages until then.
 */
export async function embedFaces(
  bytes: Uint8Array,
  options: EmbedOptions,
  networks: Networks,
  run: RunOptions = {},
): Promise<EmbedResult> {
  const clock = new StageClock();
  try {
    return await runStages(bytes, options, networks, { ...run, clock });
  } catch (error) {
    throw withStages(error, clock.stagesUntilNow());
  }
}

type Networks = { detector: FaceDetector } & FaceNetworks;

interface RunOptions {
  coresIdle?: boolean;
  networksFree?: Promise<void> | undefined;
}

async function runStages(
  bytes: Uint8Array,
  options: EmbedOptions,
  { detector, ...networks }: Networks,
  { coresIdle = false, networksFree, clock }: RunOptions & { clock: StageClock },
): Promise<EmbedResult> {
  const { lap } = clock;
  const decoded = await decodePicture(bytes, options.maxPixels, { ...options, coresIdle });
  lap('decode');
  await clock.pause(networksFree);
  if (options.aligned) {
    const aligned = await embedAlignedFace(decoded, options, networks, { coresIdle, lap });
    const { waited, timings } = clock;
    return { image: decoded.original, aligned, faces: [], refused: [], omitted: 0, waited, timings };
  }
  const fast = options.detection === 'fast' && options.selection === 'largest';
  // The search for the upright orientation looks at the landmarks of all faces.
  const onlyLargest = options.selection === 'largest' && options.orientation !== 'auto';
  const detectFaces = (picture: Picture) => {
    const isEnough = (faces: readonly FaceBox[], scale: number) =>
      isConfidentChoice(faces, picture, scale, detector.scale.confident);
    return detector.detectFaces(picture, options.detectionThreshold, {
      coresIdle,
      ...(fast ? { isEnough } : {}),
      ...(onlyLargest
        ? { choose: (faces) => (faces.length > 0 ? selectFaces(faces, 'largest', picture) : []) }
        : {}),
    });
  };
  const asDecoded: SearchedPicture = { picture: decoded, faces: await detectFaces(decoded) };
  const {
    picture,
    faces: detected,
    rotation,
  } = options.orientation === 'auto' ? await findUpright(asDecoded, detector, detectFaces) : asDecoded;
  lap('detect');
  const { original } = picture;
  const reduction = original.width / picture.width;
  const selected = selectFaces(detected, options.selection, picture);
  const kept = selected.slice(0, options.maxFaces);
  const embedOne = (face: DetectedFace) => embedFace(picture, face, options, networks, { coresIdle, lap });
  const { facesPerRun } = networks.recogniser;
  const faces: EmbeddedFace[] = [];
  const refused: RefusedFace[] = [];
  for (const face of await inGroups(kept, facesPerRun, embedOne)) {
    if ('embedding' in face) faces.push(toOriginalSize(face, reduction));
    else if (options.selection === 'all') refused.push(toOriginalSize(face, reduction));
    else throw refusalOf(face);
  }
  const { waited, timings } = clock;
  return {
    image: original,
    ...(rotation ? { rotation } : {}),
    faces,
    refused,
    omitted: selected.length - kept.length,
    waited,
    timings,
  };
}

/** Its members are those of the face, which the route gives their form. */
function refusalOf(face: RefusedFace): ServiceError {
  if ('livenessFailure' in face) return new ServiceError('LIVENESS_FAILED', { detail: face.livenessFailure });
  const { lowQuality, quality } = face;
  const members = { lowQuality, quality } satisfies LowQuality;
  return new ServiceError('LOW_QUALITY', { detail: lowQuality.join(', '), members });
}

/** Converts coordinates from the size that was decoded to the original size. */
function toOriginalSize<F extends DetectedFace>(face: F, reduction: number): F {
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

/** Processes the items in groups, those of a group side by side. @returns the results in the items' order. */
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
