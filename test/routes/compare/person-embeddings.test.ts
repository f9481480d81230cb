import { describe, expect, it } from 'vitest';
import { testConfig } from '../../support/engine/engines.ts';
import type { Answer } from '../../support/http/answer.ts';
import { assembleApp } from '../../support/http/app.ts';
import { cosine } from '../../support/numbers.ts';
import {
  base64,
  engineWithoutModel,
  expectRefusal,
  list,
  postCompare,
  useLimitedCompare,
  vectors,
} from './compare-requests.ts';
import { other, picture, post, usePictureService } from './picture-service.ts';

const send = useLimitedCompare();
const rows = vectors(12, 4, 7);
const row = (index: number) => rows[index] as Float32Array;
const numbers = (index: number) => Array.from(row(index));
/** Of three, one and two embeddings, in both encodings. */
const persons = [
  { id: 'anna', embeddings: [numbers(1), base64(row(2)), numbers(3)] },
  { id: 'ben', embedding: numbers(4) },
  { id: 'carl', embeddings: [base64(row(5)), base64(row(6))] },
];
const query_embedding = numbers(0);
const toUnit = (values: number[]) => values.map((value) => value / Math.hypot(...values));

describe('several embeddings of one person', () => {
  it('have the distance to the nearest of them', async () => {
    const { status, body } = await send({ query_embedding, reference_embeddings: persons });
    expect(status).toBe(200);
    const single = await send({ query_embedding, reference_embeddings: list(rows.slice(1, 7), '') });
    const distances = new Map(single.body.matches.map(({ id, distance }: Answer['body']) => [id, distance]));
    const nearest = (...places: number[]) =>
      Math.min(...places.map((i) => distances.get(String(i)) as number));
    const expected = { anna: nearest(0, 1, 2), ben: nearest(3), carl: nearest(4, 5) };
    const given = Object.fromEntries(body.matches.map(({ id, distance }: Answer['body']) => [id, distance]));
    expect(Object.keys(given)).toHaveLength(3);
    for (const [id, distance] of Object.entries(expected)) expect(given[id]).toBeCloseTo(distance, 6);
    expect(body.best_match).toEqual(body.matches[0]);
    const explicit = await send({
      query_embedding,
      reference_embeddings: persons,
      person_distance: 'nearest',
    });
    expect(explicit.body).toEqual(body);
  });

  it('have the distance to their mean, of unit vectors, with person_distance=mean', async () => {
    const { body } = await send({ query_embedding, reference_embeddings: persons, person_distance: 'mean' });
    const mean = [1, 2, 3]
      .map((i) => toUnit(numbers(i)))
      .reduce((sum, v) => sum.map((x, i) => x + (v[i] as number)));
    const anna = body.matches.find(({ id }: Answer['body']) => id === 'anna');
    expect(anna.distance).toBeCloseTo(1 - cosine(query_embedding, mean), 6);
    const alone = await send({ query_embedding, reference_embeddings: [persons[1]] });
    expect(body.matches).toContainEqual(alone.body.best_match);
  });

  it('are found in both metrics by each of several queries, and by top_k', async () => {
    for (const distance_metric of ['cosine', 'euclidean']) {
      const request = { reference_embeddings: persons, distance_metric, top_k: 2, threshold: 1 };
      const queries = [0, 7, 8, 9, 10, 11];
      const { body } = await send({ ...request, query_embeddings: list(queries.map(row), 'q') });
      for (const [place, query] of queries.entries()) {
        const single = await send({ ...request, query_embedding: base64(row(query)) });
        expect(body.results[place].matches).toHaveLength(2);
        expect(body.results[place].matches).toEqual(single.body.matches);
      }
    }
  });

  it('are the same on the JSON thread', async () => {
    const { app, json } = assembleApp(testConfig(), engineWithoutModel);
    const many = vectors(400, 64);
    const grouped = Array.from({ length: 100 }, (_, i) => ({
      id: `p${i}`,
      embeddings: many.slice(4 * i, 4 * i + 4).map(base64),
    }));
    const body = { query_embedding: base64(many[0] as Float32Array), reference_embeddings: grouped };
    expect(JSON.stringify(body).length).toBeGreaterThan(64 * 1024);
    const large = await postCompare(app, body);
    expect(large.body.best_match).toMatchObject({ id: 'p0', distance: 0 });
    const small = await postCompare(app, { ...body, reference_embeddings: grouped.slice(0, 20) });
    const ofFirst = large.body.matches.filter(({ id }: Answer['body']) => Number(id.slice(1)) < 20);
    expect(ofFirst).toEqual(small.body.matches);
    await json.close();
  });

  it('may be an option of the query', async () => {
    const { app } = assembleApp(testConfig(), engineWithoutModel);
    const body = { query_embedding, reference_embeddings: persons };
    const inQuery = await postCompare(app, body, {}, '?person_distance=mean');
    const inBody = await postCompare(app, { ...body, person_distance: 'mean' });
    expect(inQuery.body).toEqual(inBody.body);
    const nearest = await postCompare(app, body);
    expect(inQuery.body).not.toEqual(nearest.body);
  });
});

describe('an invalid reference with several embeddings', () => {
  const refuse = async (
    reference: object,
    code: string,
    detail: string | RegExp,
    status = 422,
    more: object = {},
  ) => {
    const reference_embeddings = [{ id: 'ok', embedding: numbers(1) }, reference];
    const answer = await send({ query_embedding, reference_embeddings, ...more });
    expectRefusal(answer, status, code, detail);
  };

  it('is refused with the place of the embedding', async () => {
    const place = /^reference_embeddings\[1\]\.embeddings\[1\] /;
    await refuse({ id: 'x', embeddings: [numbers(2), [1, 2]] }, 'INVALID_EMBEDDING', place);
    await refuse({ id: 'x', embeddings: [numbers(2), [0, 0, 0, 0]] }, 'INVALID_EMBEDDING', place);
    await refuse({ id: 'x', embeddings: [numbers(2), '*'] }, 'INVALID_EMBEDDING', place);
    await refuse({ id: 'x', embeddings: [numbers(2), '*'] }, 'INVALID_EMBEDDING', place, 422, {
      person_distance: 'mean',
    });
    const one = /^reference_embeddings\[2\]\.embedding /;
    const reference_embeddings = [
      ...persons.slice(0, 1),
      { id: 'a', embedding: numbers(3) },
      { id: 'b', embedding: [1] },
    ];
    expectRefusal(await send({ query_embedding, reference_embeddings }), 422, 'INVALID_EMBEDDING', one);
  });

  it('is refused if it has none, an embedding as well, or something else', async () => {
    const code = 'INVALID_REQUEST';
    await refuse({ id: 'x', embeddings: [] }, code, /reference_embeddings.*embeddings.*at least one/, 400);
    const exactlyOne =
      'reference_embeddings[1].embedding: expected exactly one of embedding, embeddings, image';
    await refuse({ id: 'x', embedding: numbers(2), embeddings: [numbers(2)] }, code, exactlyOne, 400);
    await refuse({ id: 'x' }, code, exactlyOne, 400);
    await refuse({ id: 'x', embeddings: [3] }, code, /embeddings/, 400);
    await refuse({ id: 'x', embeddings: 'AAAA' }, code, /embeddings/, 400);
    await refuse({ id: 'x', embeddings: [numbers(2)] }, code, /person_distance/, 400, {
      person_distance: 'median',
    });
  });

  it('is refused if its embeddings cancel out and their mean is asked for', async () => {
    const embeddings = [numbers(2), numbers(2).map((value) => -value)];
    const more = { person_distance: 'mean' };
    await refuse(
      { id: 'x', embeddings },
      'INVALID_EMBEDDING',
      /reference_embeddings\[1\]\.embeddings has no mean/,
      422,
      more,
    );
  });

  it('counts each embedding as a reference', async () => {
    const references = (count: number, each: number) =>
      Array.from({ length: count }, (_, i) => ({ id: `${i}`, embeddings: vectors(each, 4).map(base64) }));
    const fits = await send({ query_embedding, reference_embeddings: references(20, 10) });
    expect(fits.status).toBe(200);
    for (const [count, each] of [
      [20, 11],
      [1, 201],
    ] as const) {
      const answer = await send({ query_embedding, reference_embeddings: references(count, each) });
      expectRefusal(answer, 413, 'REQUEST_TOO_LARGE', `${count * each} references; the limit is 200.`);
    }
    const query_embeddings = list(vectors(4, 4), 'q');
    const many = await send({ query_embeddings, reference_embeddings: references(19, 10) });
    expectRefusal(
      many,
      413,
      'REQUEST_TOO_LARGE',
      '4 queries × 190 references; the limit is 600 comparisons.',
    );
  });

  it('is not cut without a word by members of the same name before it', async () => {
    const text = (count: number) => JSON.stringify(vectors(count, 4).map(base64));
    const body = `{"query_embedding":[1,0,0,0],"reference_embeddings":[{"id":"a","embeddings":${text(199)},"embeddings":${text(5)}}]}`;
    expectRefusal(await send(body), 413, 'REQUEST_TOO_LARGE', /references; the limit is 200/);
  });
});

describe('several embeddings of one person beside pictures', () => {
  const service = usePictureService();

  it('are compared in their places', async () => {
    const embeddingOf = async (image: string) =>
      (await post(service.assembled, '/v1/embed', { image, encoding_format: 'base64' })).body
        .embedding as string;
    const [first, second] = [await embeddingOf(picture), await embeddingOf(other)];
    const embeddings = { id: 'both', embeddings: [second, first, second] };
    for (const person_distance of ['nearest', 'mean']) {
      const request = { query_embedding: first, person_distance };
      const pictured = await post(service.assembled, '/v1/compare', {
        ...request,
        reference_embeddings: [embeddings, { id: 'picture', image: other }, { id: 'one', embedding: second }],
      });
      const plain = await post(service.assembled, '/v1/compare', {
        ...request,
        reference_embeddings: [
          embeddings,
          { id: 'picture', embedding: second },
          { id: 'one', embedding: second },
        ],
      });
      expect(pictured.status).toBe(200);
      const facts = ({ body }: Answer) =>
        body.matches.map(({ id, distance }: Answer['body']) => [id, distance.toFixed(5)]);
      expect(facts(pictured)).toEqual(facts(plain));
      expect(pictured.body.matches.find(({ id }: Answer['body']) => id === 'picture')).toHaveProperty('face');
    }
  });
});
