import { landmarkTemplate } from '../align/alignment.ts';

/** The rotation of a head in degrees, estimated from five points. Yaw and pitch are zero for a frontal face. */
export interface Pose {
  /** Slope of the line from the left eye to the right one, −180..180; positive when the head leans clockwise. */
  roll: number;
  /** −90..90; positive when the nose points to the right of the picture. */
  yaw: number;
  /** −90..90; positive when the nose points up. */
  pitch: number;
}

interface Vector {
  x: number;
  y: number;
}

/** Distance of the nose tip from the plane of eyes and mouth corners, in eye distances. */
const NOSE_DEPTH = 0.5;

/** The frontal face. */
const FRONTAL = faceGeometry(landmarkTemplate(112));
const FRONTAL_ACROSS = FRONTAL.noseAcross / FRONTAL.area;
const FRONTAL_DOWN = FRONTAL.noseDown / FRONTAL.area;
/** The same depth, in distances from the eyes to the mouth. */
const NOSE_DEPTH_DOWN = (NOSE_DEPTH * length(FRONTAL.eyes)) / length(FRONTAL.down);

/**
 * Estimates the rotation of a head from its five landmarks.
 *
 * Eyes and mouth corners lie nearly in one plane, and under weak perspective (a camera not too near) a rotation of the head
 * maps that plane affinely. The position of the nose is therefore expressed in the plane's own axes, from eye to eye and
 * from the eyes to the mouth. A rotation changes these coordinates only because the tip of the nose is outside the plane: it
 * moves by its depth times the tangent of the angle. The method follows Gee and Cipolla, "Determining the gaze of faces in
 * images" (1994); the frontal face is ArcFace's template.
 *
 * Noses differ and landmarks are inexact: yaw and pitch are accurate to about ten degrees, and unreliable beyond 60.
 *
 * @param landmarks as {@link Landmarks}, in any scale.
 */
export function estimatePose(landmarks: ArrayLike<number>): Pose {
  const { eyes, area, noseAcross, noseDown } = faceGeometry(landmarks);
  // A mirrored plane, a view from behind the profile, counts as 90°: the estimate ends there.
  const scale = Math.max(area, 0);
  return {
    roll: degrees(eyes.y, eyes.x),
    yaw: degrees(noseAcross - FRONTAL_ACROSS * scale, NOSE_DEPTH * scale),
    pitch: degrees(FRONTAL_DOWN * scale - noseDown, NOSE_DEPTH_DOWN * scale),
  };
}

/** Signed areas of parallelograms: `noseAcross` / `area` and `noseDown` / `area` are the nose's coordinates in the plane. */
function faceGeometry(landmarks: ArrayLike<number>) {
  const point = (index: number): Vector => ({
    x: landmarks[2 * index] as number,
    y: landmarks[2 * index + 1] as number,
  });
  const [leftEye, rightEye, noseTip, leftMouth, rightMouth] = [0, 1, 2, 3, 4].map(point) as [
    Vector,
    Vector,
    Vector,
    Vector,
    Vector,
  ];
  const between = middle(leftEye, rightEye);
  const eyes = minus(rightEye, leftEye);
  const down = minus(middle(leftMouth, rightMouth), between);
  const nose = minus(noseTip, between);
  return { eyes, down, area: cross(eyes, down), noseAcross: cross(nose, down), noseDown: cross(eyes, nose) };
}

function middle(p: Vector, q: Vector): Vector {
  return { x: (p.x + q.x) / 2, y: (p.y + q.y) / 2 };
}

function minus(p: Vector, q: Vector): Vector {
  return { x: p.x - q.x, y: p.y - q.y };
}

function cross(p: Vector, q: Vector): number {
  return p.x * q.y - p.y * q.x;
}

function length({ x, y }: Vector): number {
  return Math.hypot(x, y);
}

function degrees(opposite: number, adjacent: number): number {
  return (Math.atan2(opposite, adjacent) * 180) / Math.PI;
}
