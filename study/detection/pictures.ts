import sharp, { type Sharp } from 'sharp';
import type { BoundingBox, FaceBox } from '../../src/vision/detect/face.ts';
import type { Pixels } from '../../src/vision/picture.ts';
import type { Random } from '../quality/random.ts';

/** A picture and where its face is. */
export interface PictureWithFace extends Pixels {
  face: BoundingBox;
}

export function open({ data, width, height }: Pixels): Sharp {
  return sharp(data, { raw: { width, height, channels: 3 } });
}

export async function read(image: Sharp): Promise<Pixels> {
  const { data, info } = await image.removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { data: new Uint8Array(data), width: info.width, height: info.height };
}

/** Turned clockwise by whole or other degrees, with black corners, as an encoded picture without loss. */
export async function turnedPng(picture: Pixels, degrees: number): Promise<Uint8Array> {
  return encodePng(open(picture).rotate(degrees, { background: '#000' }));
}

export async function encodePng(image: Sharp): Promise<Uint8Array> {
  return new Uint8Array(await image.png({ compressionLevel: 1 }).toBuffer());
}

/** Grid points of {@link backgroundOf} on each side. */
const BACKGROUND_POINTS = 6;
/** The ellipse that is painted over, in widths and heights of the face's box: hair and chin lie outside the box. */
const PAINTED = { x: 0.85, y: 0.8 };

/** Its colours, without anything that could be a face. */
export async function backgroundOf(picture: Pixels, width: number, height: number): Promise<Pixels> {
  const side = BACKGROUND_POINTS;
  const small = await read(open(picture).resize(side, side, { fit: 'fill' }));
  return read(open(small).resize(width, height, { fit: 'fill', kernel: 'cubic' }));
}

/** The picture with its faces painted over: people without heads, and what is around them. */
export async function paintOver(picture: Pixels, faces: readonly FaceBox[]): Promise<Pixels> {
  const { width, height } = picture;
  const background = await backgroundOf(picture, width, height);
  const data = new Uint8Array(picture.data);
  for (const { box } of faces) {
    const [centreX, centreY] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
    const radiusX = PAINTED.x * (box.right - box.left);
    const radiusY = PAINTED.y * (box.bottom - box.top);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if (((x - centreX) / radiusX) ** 2 + ((y - centreY) / radiusY) ** 2 >= 1) continue;
        const at = 3 * (y * width + x);
        data.set(background.data.subarray(at, at + 3), at);
      }
    }
  }
  return { data, width, height };
}

/** A photograph so resized that its face has this width, at a random place of a larger picture of its own colours. */
export async function placeIn(
  photo: PictureWithFace,
  { width, height, faceWidth }: { width: number; height: number; faceWidth: number },
  random: Random,
): Promise<PictureWithFace> {
  const scale = faceWidth / (photo.face.right - photo.face.left);
  const tile = await read(
    open(photo).resize(Math.round(photo.width * scale), Math.round(photo.height * scale), { fit: 'fill' }),
  );
  const shown = { width: Math.min(tile.width, width), height: Math.min(tile.height, height) };
  // A photograph that is too large is cut about its middle, where the face is.
  const cut = {
    left: Math.floor((tile.width - shown.width) / 2),
    top: Math.floor((tile.height - shown.height) / 2),
  };
  const left = Math.floor(random() * (width - shown.width + 1));
  const top = Math.floor(random() * (height - shown.height + 1));
  const part = await read(open(tile).extract({ ...cut, ...shown }));
  const { data } = await backgroundOf(photo, width, height);
  for (let y = 0; y < shown.height; y++) {
    const row = part.data.subarray(3 * y * shown.width, 3 * (y + 1) * shown.width);
    data.set(row, 3 * ((top + y) * width + left));
  }
  const x = (value: number) => value * scale - cut.left + left;
  const y = (value: number) => value * scale - cut.top + top;
  const { face } = photo;
  const moved = { left: x(face.left), right: x(face.right), top: y(face.top), bottom: y(face.bottom) };
  return { data, width, height, face: moved };
}

/** The face fills the picture, which is enlarged to this height. */
export async function cropToFace(photo: PictureWithFace, height: number): Promise<PictureWithFace> {
  const { face } = photo;
  const left = Math.max(0, Math.round(face.left));
  const top = Math.max(0, Math.round(face.top));
  const cut = {
    left,
    top,
    width: Math.min(photo.width, Math.round(face.right)) - left,
    height: Math.min(photo.height, Math.round(face.bottom)) - top,
  };
  const picture = await read(open(photo).extract(cut).resize({ height }));
  return { ...picture, face: { left: 0, top: 0, right: picture.width, bottom: picture.height } };
}

/** Photographs cut to their middles, in rows, like people who are photographed together. */
export async function groupOf(
  photos: readonly Pixels[],
  { columns, side, gap }: { columns: number; side: number; gap: number },
): Promise<Pixels> {
  const rows = Math.ceil(photos.length / columns);
  const width = columns * (side + gap);
  const height = rows * (side + gap);
  const data = new Uint8Array(width * height * 3).fill(90);
  for (const [index, photo] of photos.entries()) {
    const tile = await read(open(photo).resize(side, side));
    const left = (index % columns) * (side + gap) + gap / 2;
    const top = Math.floor(index / columns) * (side + gap) + gap / 2;
    for (let y = 0; y < side; y++) {
      data.set(tile.data.subarray(3 * y * side, 3 * (y + 1) * side), 3 * ((top + y) * width + left));
    }
  }
  return { data, width, height };
}

/** Intersection over union. */
export function overlapOf(a: BoundingBox, b: BoundingBox): number {
  const width = Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left));
  const height = Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));
  const area = (box: BoundingBox) => (box.right - box.left) * (box.bottom - box.top);
  return (width * height) / (area(a) + area(b) - width * height);
}
