import { describe, expect, it } from 'vitest';
import { selectFaces } from '../../../src/vision/detect/selection.ts';

const IMAGE = { width: 400, height: 400 };
const face = (left: number, top: number, side: number) => ({
  box: { left, top, right: left + side, bottom: top + side },
});
const centre = face(150, 150, 100);
const corner = face(0, 0, 110);

describe('the selection of faces', () => {
  it('single: returns the only face', () => {
    expect(selectFaces([corner], 'single', IMAGE)).toEqual([corner]);
  });

  it('single: refuses several faces and states their number', () => {
    expect(() => selectFaces([centre, corner], 'single', IMAGE)).toThrow(
      expect.objectContaining({ code: 'MULTIPLE_FACES_DETECTED', detail: '2 faces' }),
    );
  });

  it.each(['single', 'largest'] as const)('%s: refuses a picture without faces', (selection) => {
    expect(() => selectFaces([], selection, IMAGE)).toThrow(
      expect.objectContaining({ code: 'NO_FACE_DETECTED' }),
    );
  });

  it('largest: weighs area against distance from the centre', () => {
    // The prominence of the corner is 110² − 2·(145² + 145²), that of the centre 100².
    expect(selectFaces([corner, centre], 'largest', IMAGE)).toEqual([centre]);
    const huge = face(0, 0, 390);
    expect(selectFaces([centre, huge], 'largest', IMAGE)).toEqual([huge]);
  });

  it('all: returns all faces in order of detection', () => {
    expect(selectFaces([corner, centre], 'all', IMAGE)).toEqual([corner, centre]);
    expect(selectFaces([], 'all', IMAGE)).toEqual([]);
  });
});
