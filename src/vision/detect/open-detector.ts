import type * as ort from 'onnxruntime-node';
import type { DeferredHeads } from '../../onnx/rewrite/deferred-heads.ts';
import type { DetectorFamily, DetectorFile } from '../../packs/pack.ts';
import type { FaceDetector } from './face-detector.ts';
import type { LetterboxOptions } from './letterbox.ts';
import { LetterboxDetector } from './letterbox-detector.ts';
import { RfbDetector } from './rfb/detector.ts';
import { LandmarkFinder } from './rfb/landmark-finder.ts';
import { SCRFD_OVERLAP, SCRFD_SCALE, ScrfdNetwork } from './scrfd/network.ts';
import { YUNET_ENLARGEMENT, YUNET_OVERLAP, YUNET_SCALE, YunetNetwork } from './yunet/network.ts';

/** A detector's network, opened. */
export interface OpenedDetector {
  session: ort.InferenceSession;
  /** The same graph with more threads, for when the cores are idle. */
  multiThreadSession?: ort.InferenceSession | undefined;
  /** The heads that a rewritten graph of SCRFD leaves out, one for each stride; undefined for a complete graph. */
  heads?: DeferredHeads | undefined;
  /** The second network of the family `rfb`. */
  landmarks?: ort.InferenceSession | undefined;
  /** Sides of the square inputs, in pixels. The family `rfb` has an input of one size. */
  sizes: readonly number[];
}

/** What is known of the file that a detector was opened from. */
type Described = Pick<DetectorFile, 'family' | 'preprocessing' | 'landmarks'>;

/**
 * Makes a detector of an opened network. `DETECTOR_FAMILIES` in src/packs/pack.ts says what a new family needs.
 *
 * @throws {Error} if a network of the family is missing.
 */
export function openDetector(file: Described, opened: OpenedDetector): FaceDetector {
  const letterboxed = { sizes: sizesOf(opened), letterbox: letterboxOptionsOf(file) };
  switch (file.family) {
    case 'scrfd':
      return new LetterboxDetector(new ScrfdNetwork(opened.session, opened), {
        ...letterboxed,
        overlap: SCRFD_OVERLAP,
        scale: SCRFD_SCALE,
      });
    case 'yunet':
      return new LetterboxDetector(new YunetNetwork(opened.session, opened), {
        ...letterboxed,
        overlap: YUNET_OVERLAP,
        enlargement: YUNET_ENLARGEMENT,
        scale: YUNET_SCALE,
      });
    case 'rfb':
      if (file.landmarks === undefined || opened.landmarks === undefined)
        throw new Error('A detector of the family rfb needs a second network, for the landmarks.');
      return new RfbDetector(opened.session, {
        landmarks: new LandmarkFinder(opened.landmarks, file.landmarks.preprocessing),
        input: letterboxOptionsOf(file),
        multiThreadSession: opened.multiThreadSession,
      });
  }
}

/** In pixels, of SCRFD and of YuNet. With sides that are no multiple of it, the numbers of boxes would not be as they are decoded. */
const LARGEST_STRIDE = 32;

/** The configured sizes, or the only one that the graph takes, as that of YuNet's export of March 2023 does. */
function sizesOf({ session, sizes }: OpenedDetector): readonly number[] {
  const [input] = session.inputMetadata;
  const [height, width] = input?.isTensor ? input.shape.slice(2) : [];
  if (typeof height !== 'number' || height !== width) return sizes;
  if (height % LARGEST_STRIDE !== 0) {
    throw new Error(
      `The detector takes ${height}×${width} pixels only; accepted are sides that are multiples of ${LARGEST_STRIDE}.`,
    );
  }
  return [height];
}

/** YuNet reads pictures as OpenCV has them. */
const CHANNEL_ORDER: Record<DetectorFamily, NonNullable<LetterboxOptions['channelOrder']>> = {
  scrfd: 'rgb',
  yunet: 'bgr',
  rfb: 'rgb',
};

/** How a picture becomes a detector's input. */
export function letterboxOptionsOf({ family, preprocessing }: Described): LetterboxOptions {
  return { ...preprocessing, channelOrder: CHANNEL_ORDER[family] };
}
