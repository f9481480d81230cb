import { describe, expect, it } from 'vitest';
import { compareRequestSchema } from '../../src/json/compare-schema.ts';
import { COMPARE_DEFAULTS, isPlainCompareRequest } from '../../src/json/compare-shape.ts';

const BLOCK = { ids: ['a'], embeddings: 'AAAA', embedding_space: 'x:1' };
const LIST = [
  { id: 'a', embedding: [1, 2], embedding_space: 'x:1' },
  { id: 'b', embedding: 'AAAA' },
];
const FULL = {
  embedding_space: 'x:1',
  reference_embeddings: [...LIST, { id: 'c', image: 'AAAA' }],
  distance_metric: 'euclidean',
  threshold: 2,
  top_k: 1,
  faces: 'single',
  detection: 'fast',
  detection_threshold: 0,
  return_embeddings: true,
  encoding_format: 'base64',
};
const SOUND = [
  { query_embedding: 'AAAA', reference_embeddings: [] },
  { query_embedding: [1], ...FULL },
  { query_image: 'AAAA', ...FULL, reference_embeddings: BLOCK },
  { query_embeddings: LIST, ...FULL },
  { query_embeddings: BLOCK, ...FULL },
];
/** What any member may be replaced by. */
const OTHERS = [
  null,
  '',
  'x',
  'x'.repeat(201),
  -1,
  0,
  0.5,
  1,
  2.5,
  1e300,
  true,
  [],
  {},
  [1],
  [null],
  [{}],
  ...[BLOCK, LIST],
];

/** Every body that has one member, at any depth, replaced, dropped or added. */
function* mutants(value: unknown): Generator<unknown> {
  for (const other of OTHERS) yield other;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      for (const mutant of mutants(item)) yield value.with(index, mutant);
    }
  } else if (typeof value === 'object' && value !== null) {
    yield { ...value, more: 1 };
    yield JSON.parse(`{"__proto__": 1, ${JSON.stringify(value).slice(1)}`);
    for (const [name, member] of Object.entries(value)) {
      const { [name as keyof typeof value]: _, ...rest } = value;
      yield rest;
      for (const mutant of mutants(member)) yield { ...rest, [name]: mutant };
    }
  }
}

describe('the quick look at a compare request', () => {
  it('knows every sound one', () => {
    for (const body of SOUND) expect(isPlainCompareRequest(body)).toBe(true);
  });

  it('never takes what the schema refuses, and never for something else', () => {
    let taken = 0;
    let refused = 0;
    for (const body of SOUND.flatMap((sound) => [...mutants(sound)])) {
      const { success, data } = compareRequestSchema.safeParse(body);
      if (!success) refused++;
      if (!isPlainCompareRequest(body)) continue;
      taken++;
      expect({ success, data }, JSON.stringify(body)).toEqual({
        success: true,
        data: { ...COMPARE_DEFAULTS, ...(body as object) },
      });
    }
    // Both sides were really asked.
    expect(taken).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(500);
  });
});
