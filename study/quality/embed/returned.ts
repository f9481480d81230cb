import { median } from '../../../bench/statistics.ts';
import { FACE_FORMATS } from '../../../src/vision/align/face-format.ts';
import type { Photo } from '../photos.ts';

/** What a face loses when it is returned in each format, stored, and embedded again. */
export function judgeReturned(photos: readonly Photo[]) {
  return FACE_FORMATS.map((format) => {
    const faces = photos.flatMap(({ returned }) => (returned ? [returned[format]] : []));
    const cosines = faces.map(({ cosine }) => cosine).sort((p, q) => p - q);
    const at = (share: number) => cosines[Math.floor(share * cosines.length)] ?? Number.NaN;
    return {
      format,
      faces: faces.length,
      bytes: median(faces.map(({ bytes }) => bytes)) ?? Number.NaN,
      median: at(0.5),
      /** Of a hundred faces, one is lower. */
      lowest1: at(0.01),
      lowest: at(0),
    };
  });
}
