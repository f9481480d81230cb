import { bytesOfBase64 } from './base64.ts';
import { FaceEmbeddingError } from './errors.ts';

/**
 * A picture: a file (`File` of a form, `Blob`), bytes, a data URL, or the path or `file:` URL of a file (Node, Deno, Bun).
 * It may be read again for another attempt, so a stream is not accepted.
 */
export type ImageSource = Blob | ArrayBuffer | Uint8Array | URL | string;

/**
 * Reads a picture. Bytes and blobs are returned as they are.
 *
 * @throws {FaceEmbeddingError} UNREADABLE_IMAGE.
 */
export async function readImage(source: ImageSource): Promise<Blob | Uint8Array<ArrayBuffer>> {
  if (source instanceof Blob) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  // Of a shared buffer, fetch accepts no view.
  if (source instanceof Uint8Array) return source as Uint8Array<ArrayBuffer>;
  const text = String(source);
  if (text.startsWith('data:')) return readDataUrl(text);
  return readFile(source);
}

/** The bytes of a picture, for a body of JSON. */
export async function readBytes(source: ImageSource): Promise<Uint8Array<ArrayBuffer>> {
  const image = await readImage(source);
  return image instanceof Blob ? new Uint8Array(await image.arrayBuffer()) : image;
}

function readDataUrl(url: string): Uint8Array<ArrayBuffer> {
  try {
    return bytesOfBase64(url.slice(url.indexOf(',') + 1));
  } catch (cause) {
    throw new FaceEmbeddingError('UNREADABLE_IMAGE', 'The data URL has no base64.', { cause });
  }
}

async function readFile(path: string | URL): Promise<Uint8Array<ArrayBuffer>> {
  try {
    // A name that bundlers cannot see: browsers have no such module, and do not get here.
    const module = 'node:fs/promises';
    const files = (await import(/* @vite-ignore */ module)) as {
      readFile(path: string | URL): Promise<Uint8Array<ArrayBuffer>>;
    };
    return await files.readFile(path);
  } catch (cause) {
    throw new FaceEmbeddingError('UNREADABLE_IMAGE', 'The file cannot be read.', { cause });
  }
}
