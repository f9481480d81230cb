import type { ModelInfo } from './answers.ts';
import { bytes, digits } from './view/words.ts';

/* A file becomes what is sent: as it is, or smaller where the service would refuse it. */

export interface Source {
  blob: Blob;
  name: string;
  /** Whether the page made it, so that it is nowhere on the disk. */
  made?: boolean;
}

export interface Prepared extends Source {
  /** What is shown, with its longer side at most PREVIEW_SIDE; undefined if this browser cannot decode the file. */
  preview: HTMLCanvasElement | undefined;
  /** That it was made smaller, in words; empty if it was not. */
  note: string;
}

const PREVIEW_SIDE = 720;
/** Enough for any face that the service finds: its detector looks at 640 pixels. */
const SHRUNK_SIDE = 2048;
/** Larger files are not read at all. */
const MOST_BYTES = 100e6;

/** Why a file is not sent. */
export class Unsendable extends Error {}

/**
 * @param limits those of the service, if they are known.
 * @throws {Unsendable} if it is too large, and cannot be made smaller here.
 */
export async function prepare(source: Source, limits: ModelInfo['limits'] | undefined): Promise<Prepared> {
  const { blob, name } = source;
  if (blob.size > MOST_BYTES)
    throw new Unsendable(`The file has ${bytes(blob.size)}, which is more than this page reads.`);
  const bitmap = await createImageBitmap(blob).catch(() => undefined);
  try {
    const preview = bitmap && draw(bitmap, PREVIEW_SIDE);
    const tooLong = limits !== undefined && blob.size > limits.max_image_size;
    const tooMany =
      limits !== undefined && bitmap !== undefined && bitmap.width * bitmap.height > limits.max_image_pixels;
    if (!tooLong && !tooMany) return { ...source, preview, note: '' };
    const limit = tooLong
      ? `${bytes(blob.size)}, and the service takes ${bytes(limits.max_image_size)}`
      : `too many pixels for the service`;
    if (bitmap === undefined) {
      throw new Unsendable(
        `The file has ${limit}. This browser cannot read it, so it cannot be made smaller here.`,
      );
    }
    const smaller = draw(bitmap, SHRUNK_SIDE);
    const shrunk = await encode(smaller, 'image/jpeg', 0.92);
    const note = `The photograph has ${limit}: it was sent smaller, with ${smaller.width} × ${smaller.height} pixels.`;
    return { blob: shrunk, name: `${name.replace(/\.\w+$/, '')}-smaller.jpg`, made: true, preview, note };
  } finally {
    bitmap?.close();
  }
}

function draw(bitmap: ImageBitmap, side: number): HTMLCanvasElement {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext('2d') as CanvasRenderingContext2D;
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** A copy that is turned clockwise. */
export function turned(canvas: HTMLCanvasElement, degrees: number): HTMLCanvasElement {
  const copy = document.createElement('canvas');
  const onSide = degrees % 180 !== 0;
  copy.width = onSide ? canvas.height : canvas.width;
  copy.height = onSide ? canvas.width : canvas.height;
  const context = copy.getContext('2d') as CanvasRenderingContext2D;
  context.translate(copy.width / 2, copy.height / 2);
  context.rotate((degrees * Math.PI) / 180);
  context.drawImage(canvas, -canvas.width / 2, -canvas.height / 2);
  return copy;
}

export function encode(canvas: HTMLCanvasElement, type: string, quality?: number): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error('The picture is too large.'))),
      type,
      quality,
    );
  });
}

/** @returns what is wrong with the size, or that it is all right, as the caption of a picture. */
export const sizeWords = ({ blob }: Source, image?: { width: number; height: number }): string =>
  [image && `${digits(image.width, 0)} × ${digits(image.height, 0)}`, bytes(blob.size)]
    .filter(Boolean)
    .join(' · ');
