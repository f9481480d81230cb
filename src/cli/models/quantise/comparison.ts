import type { Config } from '../../../config/settings.ts';
import type { BoundingBox, DetectedFace } from '../../../vision/detect/face.ts';
import { selectFaces } from '../../../vision/detect/selection.ts';
import type { Networks } from '../../../vision/networks.ts';
import type { Picture } from '../../../vision/picture.ts';

/** Faces overlap by at least this share of their union to be one face. */
const MIN_OVERLAP = 0.5;

/** Of one photograph, by their scores. */
const MAX_FACES = 8;

export interface BothNetworks {
  float: Networks;
  int8: Networks;
}

/** A face that both detectors found. */
export interface ComparedFace {
  /** Mean shift of its five landmarks, as a share of the diagonal of its box. */
  landmarkShift: number;
  /** Cosine of the embedding to that in float32, if only this part is in 8 bits. */
  cosine: { detector: number; recogniser: number; both: number };
}

/** What the two packs gave for one photograph. */
export interface ComparedPicture {
  /** Faces that the detector in float32 found, with those of which the one in 8 bits found none. */
  faces: number;
  missed: number;
  /** Faces that only the one in 8 bits found. */
  extra: number;
  matched: ComparedFace[];
  /** The most prominent face, as each pack embeds it; undefined if it found none. */
  prominent: { float: EmbeddedPerson | undefined; int8: EmbeddedPerson | undefined };
}

export interface EmbeddedPerson {
  embedding: Float32Array;
  detectionScore: number;
}

/** Runs both packs on a photograph. */
export async function comparePicture(
  picture: Picture,
  { float, int8 }: BothNetworks,
  { DETECTION_THRESHOLD: threshold }: Pick<Config, 'DETECTION_THRESHOLD'>,
): Promise<ComparedPicture> {
  const expected = await float.detector.detectFaces(picture, threshold);
  const found = await int8.detector.detectFaces(picture, threshold);
  const pairs = matchFaces(expected, found);
  const embedFloat = embedder(picture, float);
  const embedInt8 = embedder(picture, int8);
  const matched: ComparedFace[] = [];
  for (const [one, other] of pairs.slice(0, MAX_FACES)) {
    const reference = await embedFloat(one);
    matched.push({
      landmarkShift: landmarkShift(one, other),
      cosine: {
        detector: cosine(reference, await embedFloat(other)),
        recogniser: cosine(reference, await embedInt8(one)),
        both: cosine(reference, await embedInt8(other)),
      },
    });
  }
  const prominent = async (faces: readonly DetectedFace[], embed: Embed) => {
    if (faces.length === 0) return undefined;
    const [face] = selectFaces(faces, 'largest', picture) as [DetectedFace];
    return { embedding: await embed(face), detectionScore: face.score };
  };
  return {
    faces: expected.length,
    missed: expected.length - pairs.length,
    extra: found.length - pairs.length,
    matched,
    prominent: { float: await prominent(expected, embedFloat), int8: await prominent(found, embedInt8) },
  };
}

type Embed = (face: DetectedFace) => Promise<Float32Array>;

/** Embeds each face once. */
function embedder(picture: Picture, { recogniser }: Networks): Embed {
  const embeddings = new Map<DetectedFace, Float32Array>();
  return async (face) => {
    const known = embeddings.get(face);
    if (known) return known;
    const { embedding } = await recogniser.embedAligned(recogniser.alignFace(picture, face.landmarks));
    embeddings.set(face, embedding);
    return embedding;
  };
}

/**
 * Pairs the faces of two detectors, those that overlap most first.
 *
 * @returns in the order of `expected`.
 */
export function matchFaces<T extends { box: BoundingBox }>(
  expected: readonly T[],
  found: readonly T[],
): [T, T][] {
  const overlaps = expected
    .flatMap((one) => found.map((other) => ({ one, other, overlap: overlapOf(one.box, other.box) })))
    .filter(({ overlap }) => overlap >= MIN_OVERLAP)
    .sort((p, q) => q.overlap - p.overlap);
  const partners = new Map<T, T>();
  const taken = new Set<T>();
  for (const { one, other } of overlaps) {
    if (partners.has(one) || taken.has(other)) continue;
    partners.set(one, other);
    taken.add(other);
  }
  return expected.flatMap((one): [T, T][] => {
    const other = partners.get(one);
    return other ? [[one, other]] : [];
  });
}

/** The intersection of two boxes as a share of their union. */
function overlapOf(a: BoundingBox, b: BoundingBox): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  const intersection = Math.max(0, width) * Math.max(0, height);
  const area = ({ left, top, right, bottom }: BoundingBox) => (right - left) * (bottom - top);
  return intersection / (area(a) + area(b) - intersection);
}

function landmarkShift(one: DetectedFace, other: DetectedFace): number {
  const { left, top, right, bottom } = one.box;
  const shifts = Array.from({ length: one.landmarks.length / 2 }, (_, i) =>
    Math.hypot(
      (one.landmarks[2 * i] as number) - (other.landmarks[2 * i] as number),
      (one.landmarks[2 * i + 1] as number) - (other.landmarks[2 * i + 1] as number),
    ),
  );
  const mean = shifts.reduce((sum, shift) => sum + shift, 0) / shifts.length;
  return mean / Math.hypot(right - left, bottom - top);
}

/** Of two vectors of length 1. */
function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
}
