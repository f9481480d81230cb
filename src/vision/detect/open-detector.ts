import type * as ort from 'onnxruntime-node';
import type { DeferredHeads } from '../../onnx/rewrite/deferred-heads.ts';
import type { DetectorFamily, DetectorFile } from '../../packs/pack.ts';
import type { FaceDetector } from './face-detector.ts';
import type { LetterboxOptions } from './letterbox.ts';
import { LetterboxDetector } from './letterbox-detector.ts';
import { SCRFD_OVERLAP, SCRFD_SCALE, ScrfdNetwork } from './scrfd/network.ts';
import { YUNET_OVERLAP, YUNET_SCALE, YunetNetwork } from './yunet/network.ts';

/** A detector's network, opened. */
export interface OpenedDetector {
  session: ort.InferenceSession;
  /** The same graph with more threads, for when the cores are idle. */
  multiThreadSession?: ort.InferenceSession | undefined;
  /** The heads that a rewritten graph of SCRFD leaves out, one for each stride; undefined for a complete graph. */
  heads?: DeferredHeads | undefined;
  /** Sides of the square inputs, in pixels. */
  sizes: readonly number[];
}

/** What is known of the file that a detector was opened from. */
type Described = Pick<DetectorFile, 'family' | 'preprocessing'>;

/**
 * Makes a detector of an opened network. `DETECTOR_FAMILIES` in src/packs/pack.ts says what a new family needs.
 *
 * @throws {Error} for a family whose networks cannot be run.
 */
export function openDetector(file: Described, opened: OpenedDetector): FaceDetector {
  const letterboxed = { sizes: opened.sizes, letterbox: letterboxOptionsOf(file) };
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
        scale: YUNET_SCALE,
      });
    case 'rfb':
      throw new Error('Detectors of the family rfb cannot be run yet.');
  }
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
