import { describe, expect, it } from 'vitest';
import { landmarkTemplate } from '../../../src/vision/align/alignment.ts';
import { estimatePose } from '../../../src/vision/quality/pose.ts';

/** A face in three dimensions: x to the right, y down, z towards the camera, in eye distances. */
const SOLID: [number, number, number][] = [
  [-0.5, 0, 0],
  [0.5, 0, 0],
  [0, 0.5715, 0.5],
  [-0.414, 1.1546, 0],
  [0.414, 1.1546, 0],
];

const radians = (degrees: number) => (degrees * Math.PI) / 180;

/** The landmarks in the picture of a distant camera; the head is first pitched, then yawed. */
function photograph({ yaw = 0, pitch = 0, scale = 80 }): number[] {
  const [cy, sy, cp, sp] = [
    Math.cos(radians(yaw)),
    Math.sin(radians(yaw)),
    Math.cos(radians(pitch)),
    Math.sin(radians(pitch)),
  ] as [number, number, number, number];
  return SOLID.flatMap(([x, y, z]) => {
    const pitched = { y: y * cp - z * sp, z: y * sp + z * cp };
    return [300 + scale * (x * cy + pitched.z * sy), 200 + scale * pitched.y];
  });
}

/** Rotates points in the picture, clockwise as y points down. */
function turn(points: number[], degrees: number): number[] {
  const [c, s] = [Math.cos(radians(degrees)), Math.sin(radians(degrees))];
  return points.map((_, i) => {
    const [x, y] = [points[i - (i % 2)] as number, points[i - (i % 2) + 1] as number];
    return i % 2 === 0 ? c * x - s * y : s * x + c * y;
  });
}

describe('the pose', () => {
  it('is frontal for the template of ArcFace', () => {
    const { roll, yaw, pitch } = estimatePose(landmarkTemplate(112));
    expect(yaw).toBeCloseTo(0, 10);
    expect(pitch).toBeCloseTo(0, 10);
    // The template's eyes are not quite level.
    expect(roll).toBeCloseTo((Math.atan2(51.5014 - 51.6963, 73.5318 - 38.2946) * 180) / Math.PI, 6);
  });

  it.each([-170, -90, -30, 12.5, 45, 90, 179])(
    'has a roll of %s° when the face is rotated by it in the picture',
    (degrees) => {
      const { roll, yaw, pitch } = estimatePose(turn(photograph({ yaw: 20, pitch: -15 }), degrees));
      const upright = estimatePose(photograph({ yaw: 20, pitch: -15 }));
      expect(roll).toBeCloseTo(degrees, 6);
      expect(yaw).toBeCloseTo(upright.yaw, 6);
      expect(pitch).toBeCloseTo(upright.pitch, 6);
    },
  );

  it.each([-60, -25, -5, 5, 25, 60])(
    'has a yaw of %s° for a head with this yaw; positive with the nose to the right',
    (angle) => {
      const { yaw, pitch } = estimatePose(photograph({ yaw: angle }));
      expect(Math.abs(yaw - angle)).toBeLessThan(0.5);
      expect(Math.abs(pitch)).toBeLessThan(0.5);
    },
  );

  it.each([-40, -25, -5, 5, 25, 40])(
    'has a pitch of %s° for a head with this pitch; positive with the nose up',
    (angle) => {
      const { yaw, pitch } = estimatePose(photograph({ pitch: angle }));
      expect(Math.abs(pitch - angle)).toBeLessThan(0.5);
      expect(Math.abs(yaw)).toBeLessThan(0.5);
    },
  );

  it('does not depend on the size of the face', () => {
    const near = estimatePose(photograph({ yaw: 30, scale: 400 }));
    expect(estimatePose(photograph({ yaw: 30, scale: 4 })).yaw).toBeCloseTo(near.yaw, 8);
  });

  it('stays finite and in range for landmarks that are not a face', () => {
    for (const points of [Array(10).fill(5), [0, 0, 1, 0, 2, 0, 3, 0, 4, 0], photograph({ yaw: 120 })]) {
      const { roll, yaw, pitch } = estimatePose(points);
      for (const angle of [roll, yaw, pitch]) expect(angle).toBeGreaterThanOrEqual(-180);
      expect(Math.abs(yaw)).toBeLessThanOrEqual(90);
    }
  });
});
