import type { DETECTION_MODES } from '../../config/settings.ts';
import { ServiceError } from '../../errors.ts';
import type { BoundingBox, FaceBox } from './face.ts';

/** The detected faces that a request can ask for. */
export const FACE_SELECTIONS = ['single', 'largest', 'all'] as const;

export type DetectionMode = (typeof DETECTION_MODES)[number];

/**
 * Minimum shorter side, in pixels of the detector input, at which a face makes a search at larger inputs unnecessary. Chosen on LFW:
 * test/accuracy/lfw.test.ts measures its cost there.
 */
const CONFIDENT_SIDE = 48;

export type FaceSelection = (typeof FACE_SELECTIONS)[number];

/**
 * Chooses the faces to embed.
 *
 * @param faces best score first.
 * @throws {ServiceError} NO_FACE_DETECTED or MULTIPLE_FACES_DETECTED where the selection promises one face.
 */
export function selectFaces<T extends Pick<FaceBox, 'box'>>(
  faces: readonly T[],
  selection: FaceSelection,
  image: { width: number; height: number },
): readonly T[] {
  if (selection === 'all') return faces;
  const [first, ...others] = faces;
  if (first === undefined) throw new ServiceError('NO_FACE_DETECTED', { detail: '0 faces' });
  if (selection === 'single' && others.length > 0) {
    throw new ServiceError('MULTIPLE_FACES_DETECTED', { detail: `${faces.length} faces` });
  }
  return [mostProminent(first, others, image)];
}

function mostProminent<T extends Pick<FaceBox, 'box'>>(
  first: T,
  others: readonly T[],
  image: { width: number; height: number },
): T {
  return others.reduce(
    (chosen, face) => (prominence(face.box, image) > prominence(chosen.box, image) ? face : chosen),
    first,
  );
}

/** Area minus twice the squared distance from the image's centre, in square pixels: large and central faces win. */
function prominence({ left, top, right, bottom }: BoundingBox, image: { width: number; height: number }) {
  const dx = (left + right) / 2 - image.width / 2;
  const dy = (top + bottom) / 2 - image.height / 2;
  return (right - left) * (bottom - top) - 2 * (dx * dx + dy * dy);
}

/**
 * Whether the most prominent of the faces found at a small detector input is so large, and its score so high, that a larger
 * input is unlikely to change the choice.
 *
 * A larger input only adds candidates. The result is exactly that of the full search unless one of these is a more
 * prominent face that the small input missed, or this face with a higher score, whose slightly different landmarks then
 * replace these.
 *
 * @param scale detector input pixels per picture pixel.
 * @param confident minimum score of the choice.
 */
export function isConfidentChoice(
  [first, ...others]: readonly FaceBox[],
  image: { width: number; height: number },
  scale: number,
  confident: number,
): boolean {
  if (first === undefined) return false;
  const { box, score } = mostProminent(first, others, image);
  const side = Math.min(box.right - box.left, box.bottom - box.top) * scale;
  return score >= confident && side >= CONFIDENT_SIDE;
}
