import { base64Of, base64OfFloats, floatsOfBase64 } from './base64.ts';
import { FaceEmbeddingError } from './errors.ts';
import { type ImageSource, readBytes } from './image.ts';

/**
 * Replaces, in place and at any depth, the base64 of each member `embedding` by its numbers.
 *
 * @throws {FaceEmbeddingError} UNEXPECTED_ANSWER.
 */
export function decodeEmbeddings<T>(answer: unknown): T {
  if (Array.isArray(answer)) {
    for (const item of answer) decodeEmbeddings(item);
  } else if (answer !== null && typeof answer === 'object') {
    const members = answer as Record<string, unknown>;
    for (const [name, value] of Object.entries(members)) {
      if (name === 'embedding' && typeof value === 'string') members[name] = readFloats(value);
      else decodeEmbeddings(value);
    }
  }
  return answer as T;
}

function readFloats(text: string): Float32Array<ArrayBuffer> {
  try {
    return floatsOfBase64(text);
  } catch (cause) {
    throw new FaceEmbeddingError(
      'UNEXPECTED_ANSWER',
      'An embedding of the answer is not base64 of float32.',
      {
        cause,
      },
    );
  }
}

/** The JSON value of a request: pictures are read, and they and embeddings become base64. */
export async function encodeBody(value: unknown, name = ''): Promise<unknown> {
  if (value === undefined) return undefined;
  if (name === 'image' || name === 'query_image') return base64Of(await readBytes(value as ImageSource));
  if (value instanceof Float32Array) return base64OfFloats(value);
  if (Array.isArray(value)) {
    const isVector = typeof value[0] === 'number';
    return isVector ? value : Promise.all(value.map((item) => encodeBody(item)));
  }
  if (value === null || typeof value !== 'object') return value;
  const members = Object.entries(value).map(async ([member, of]) => [member, await encodeBody(of, member)]);
  return Object.fromEntries(await Promise.all(members));
}
