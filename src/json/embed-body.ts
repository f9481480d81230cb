import type { GivenImage } from '../engine/embed-images.ts';
import { ServiceError } from '../errors.ts';
import { assertAtMost } from './assert-at-most.ts';
import { readImageText } from './image-text.ts';
import { isText } from './parse/long-text.ts';
import { countItems, membersOf, parseJson, SCALAR, type Shape } from './parse/parse.ts';

/*
 * Reads the images out of a JSON body of `/v1/embed`, on the JSON thread if the body is large. The rest of the body is small
 * and is validated on the main thread, so that the JSON thread need not load the schemas for it.
 */

export interface EmbedBodyLimits {
  MAX_IMAGE_SIZE: number;
  MAX_BATCH_SIZE: number;
}

export interface EmbedBody {
  images: GivenImage[];
  /** Whether the body has `images`, not `image`. */
  batch: boolean;
  /** The body with empty strings for images, and with emptied objects and lists: what is left to be validated. */
  rest: unknown;
}

/** Longer than any valid option. */
const MAX_OPTION_LENGTH = 100;

/** All other members are options, or unknown. */
const EMBED_BODY: Shape = {
  members: membersOf({ image: { base64: true }, images: { base64: true, items: { base64: true } } }),
  others: SCALAR,
};

/** @throws {ServiceError} INVALID_REQUEST, or REQUEST_TOO_LARGE for too many images. */
export function readEmbedBody(bytes: Uint8Array, limits: EmbedBodyLimits): EmbedBody {
  const body = parseJson(bytes, EMBED_BODY, { items: limits.MAX_BATCH_SIZE });
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return { images: [], batch: false, rest: stripValue(body) };
  }
  const { image, images, ...others } = body as { image?: unknown; images?: unknown };
  if (image !== undefined && images !== undefined) {
    throw new ServiceError('INVALID_REQUEST', { detail: 'image: expected either image or images, not both' });
  }
  if (Array.isArray(images)) assertAtMost(countItems(images), limits.MAX_BATCH_SIZE, 'images');
  const batch = images !== undefined;
  const texts: readonly unknown[] = Array.isArray(images) ? images : [batch ? images : image];
  const rest = stripValues(others);
  if (batch) rest.images = Array.isArray(images) ? images.map(stripValue) : stripValue(images);
  else if (image !== undefined) rest.image = stripValue(image);
  return { images: readTexts(texts, limits), batch, rest };
}

/** @returns no images when one of them is not a string: the schema then refuses the body. */
function readTexts(texts: readonly unknown[], { MAX_IMAGE_SIZE }: EmbedBodyLimits): GivenImage[] {
  if (!texts.every(isText)) return [];
  return texts.map((text) => readImageText(text, MAX_IMAGE_SIZE));
}

/** An empty value of the same type; numbers and booleans as they are. */
function stripValue(value: unknown): unknown {
  if (isText(value)) return '';
  if (Array.isArray(value)) return [];
  return typeof value === 'object' && value !== null ? {} : value;
}

/** Keeps short strings, numbers and booleans, as options are. Other values are refused by their type, so they are emptied. */
function stripValues(members: object): Record<string, unknown> {
  // Without a prototype, so that a member named __proto__ is a member like any other.
  const stripped: Record<string, unknown> = Object.create(null);
  for (const [name, value] of Object.entries(members)) {
    stripped[name] = isText(value) ? value.slice(0, MAX_OPTION_LENGTH) : stripValue(value);
  }
  return stripped;
}
