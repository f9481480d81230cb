import { describe, expect, it } from 'vitest';
import { compareRequestSchema, validateCompareBody } from '../../src/json/compare-schema.ts';
import { LongText } from '../../src/json/parse/long-text.ts';

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
const VALID = [
  { query_embedding: 'AAAA', reference_embeddings: [] },
  { query_embedding: [1], ...FULL },
  { query_image: 'AAAA', ...FULL, reference_embeddings: BLOCK },
  { query_embeddings: LIST, ...FULL },
  { query_embeddings: BLOCK, ...FULL },
];
/** Values that replace a member. */
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

/** The value with one member, at any depth, replaced, removed or added. */
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

describe('the schema of a compare request', () => {
  it.each(VALID.map((body, index) => [index, body]))('accepts valid request %i', (_index, body) => {
    expect(validateCompareBody(body)).toMatchObject(body as object);
  });

  it('accepts the same bodies in the variants for one form of the union as in the whole union', () => {
    let accepted = 0;
    let refused = 0;
    for (const body of VALID.flatMap((valid) => [...mutants(valid)])) {
      const { success, data } = compareRequestSchema.safeParse(body);
      if (success) {
        accepted++;
        expect(validateCompareBody(body), JSON.stringify(body)).toEqual(data);
      } else {
        refused++;
        expect(() => validateCompareBody(body), JSON.stringify(body)).toThrow(
          expect.objectContaining({ code: 'INVALID_REQUEST' }),
        );
      }
    }
    expect(accepted).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(500);
  });

  it('accepts a LongText wherever base64 is accepted, and nowhere else', () => {
    const text = new LongText(Buffer.from('AAAA'), 0, 4);
    const references = [
      { id: 'a', embedding: text },
      { id: 'b', image: text },
    ];
    expect(validateCompareBody({ query_embedding: text, reference_embeddings: references })).toMatchObject({
      query_embedding: text,
      reference_embeddings: references,
    });
    const block = { ids: ['a'], embeddings: text };
    expect(validateCompareBody({ query_image: text, reference_embeddings: block })).toMatchObject({
      reference_embeddings: block,
    });
    expect(() =>
      validateCompareBody({ query_embedding: text, reference_embeddings: [{ id: text, embedding: text }] }),
    ).toThrow(expect.objectContaining({ detail: expect.stringContaining('reference_embeddings[0].id') }));
  });
});
