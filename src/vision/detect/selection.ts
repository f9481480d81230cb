import type { DETECTION_MODES } from '../../config/settings.ts';
import { ServiceError } from '../../errors.ts';
import type { BoundingBox, FaceBox } from './detector.ts';

/** Which of the detected faces a request wants. */
export const FACE_SELECTIONS = ['single', 'largest', 'all'] as const;

export type DetectionMode = (typeof DETECTION_MODES)[number];

/**
 * When the largest face that the smallest detector input found is taken without looking closer: its score, and its
 * shorter side in pixels of that input. Chosen on LFW: test/accuracy/lfw.test.ts shows what it costs there.
 */
const SURE_SCORE = 0.7;
const SURE_SIDE = 48;

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

/** Area less twice the squared distance from the image's centre, in square pixels: large and central wins. */
function prominence({ left, top, right, bottom }: BoundingBox, image: { width: number; height: number }) {
  const dx = (left + right) / 2 - image.width / 2;
  const dy = (top + bottom) / 2 - image.height / 2;
  return (right - left) * (bottom - top) - 2 * (dx * dx + dy * dy);
}

/**
 * Whether the most prominent of the faces found at a small detector input is so large and so sure that a larger input
 * would hardly choose another.
 *
 * A larger input can only add candidates. The answer is exactly that of the full search unless one of those is more
 * prominent than this face, which takes a face that is larger or more central and was missed here; or is this very face
 * with a higher score, whose slightly different landmarks then count.
 *
 * @param scale pixels of the detector input for one of the picture.
 */
export function isSureChoice(
  [first, ...others]: readonly FaceBox[],
  image: { width: number; height: number },
  scale: number,
): boolean {
  if (first === undefined) return false;
  const { box, score } = mostProminent(first, others, image);
  const side = Math.min(box.right - box.left, box.bottom - box.top) * scale;
  return score >= SURE_SCORE && side >= SURE_SIDE;
}
