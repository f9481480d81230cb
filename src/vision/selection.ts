import { ServiceError } from '../errors.ts';
import type { BoundingBox, DetectedFace } from './detector.ts';

/** Which of the detected faces a request wants. */
export const FACE_SELECTIONS = ['single', 'largest', 'all'] as const;

export type FaceSelection = (typeof FACE_SELECTIONS)[number];

/**
 * Chooses the faces to embed.
 *
 * @param faces best score first.
 * @throws {ServiceError} NO_FACE_DETECTED or MULTIPLE_FACES_DETECTED where the selection promises one face.
 */
export function selectFaces<T extends Pick<DetectedFace, 'box'>>(
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
  let chosen = first;
  for (const face of others) {
    if (prominence(face.box, image) > prominence(chosen.box, image)) chosen = face;
  }
  return [chosen];
}

/** Area less twice the squared distance from the image's centre, in square pixels: large and central wins. */
function prominence({ left, top, right, bottom }: BoundingBox, image: { width: number; height: number }) {
  const dx = (left + right) / 2 - image.width / 2;
  const dy = (top + bottom) / 2 - image.height / 2;
  return (right - left) * (bottom - top) - 2 * (dx * dx + dy * dy);
}
