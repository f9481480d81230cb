import { DETECTION_MODES } from '../config/settings.ts';
import { DISTANCE_METRICS } from '../similarity/compare.ts';
import { ENCODING_FORMATS } from '../similarity/embedding.ts';
import { LongText } from './long-json.ts';

/** Selections that leave one face, as a comparison needs it. */
export const COMPARED_FACES = ['largest', 'single'] as const;

export const COMPARE_DEFAULTS = {
  distance_metric: 'cosine',
  faces: 'largest',
  return_embeddings: false,
  encoding_format: 'float',
} as const;

export const MAX_SPACE_LENGTH = 200;

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isSpace: Check = (value) => typeof value === 'string' && value.length <= MAX_SPACE_LENGTH;
const isBase64: Check = (value) => typeof value === 'string' || value instanceof LongText;
const isEmbedding: Check = (value) => isBase64(value) || Array.isArray(value);
const isOneOf =
  (values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value);
const isWithin =
  (least: number, most: number): Check =>
  (value) =>
    typeof value === 'number' && value >= least && value <= most;
const isListOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
/** An object with no other members than these, any of which may be missing. */
const isObjectOf = (checks: Record<string, Check>): Check => {
  const known = new Map(Object.entries(checks));
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    const members = value as Record<string, unknown>;
    for (const name in members) if (!known.get(name)?.(members[name])) return false;
    return true;
  };
};
const has = (check: Check, ...names: string[]): Check => {
  return (value) => check(value) && names.every((name) => Object.hasOwn(value as object, name));
};

const isBlock = has(
  isObjectOf({ ids: isListOf(isText), embeddings: isBase64, embedding_space: isSpace }),
  'ids',
  'embeddings',
);
const isQuery = has(
  isObjectOf({ id: isText, embedding: isEmbedding, embedding_space: isSpace }),
  'id',
  'embedding',
);
const isReference = has(
  isObjectOf({ id: isText, embedding: isEmbedding, image: isBase64, embedding_space: isSpace }),
  'id',
);

/**
 * Whether a body plainly is what the schema accepts. It never says so of what the schema refuses, and for all else the
 * schema is asked, which knows to say what is wrong.
 *
 * Why twice: loading the schema's library costs the thread of large bodies 70 ms and 20 MB, which the first caller would
 * wait for, and sound requests never need it.
 */
export const isPlainCompareRequest = has(
  isObjectOf({
    query_embedding: isEmbedding,
    query_embeddings: (value) => isBlock(value) || isListOf(isQuery)(value),
    query_image: isBase64,
    embedding_space: isSpace,
    reference_embeddings: (value) => isBlock(value) || isListOf(isReference)(value),
    distance_metric: isOneOf(DISTANCE_METRICS),
    threshold: isWithin(0, 2),
    top_k: (value) => Number.isSafeInteger(value) && isWithin(1, Number.MAX_SAFE_INTEGER)(value),
    faces: isOneOf(COMPARED_FACES),
    detection: isOneOf(DETECTION_MODES),
    detection_threshold: isWithin(0, 1),
    return_embeddings: (value) => typeof value === 'boolean',
    encoding_format: isOneOf(ENCODING_FORMATS),
  }),
  'reference_embeddings',
);
