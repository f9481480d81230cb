import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import {
  type EmbeddedBatch,
  FaceEmbeddingClient,
  FaceEmbeddingError,
} from '../../clients/typescript/src/index.ts';
import { blankPng, blobsPng } from '../support/pictures.ts';
import { ServiceProcess } from '../support/processes/service-process.ts';
import { temporaryFolder, writeFiles } from '../support/temporary-folder.ts';

const apiKey = 'key-of-the-client-in-this-test';
let service: ServiceProcess;
let url: string;
let client: FaceEmbeddingClient;
let picture: Uint8Array<ArrayBuffer>;
let other: Uint8Array<ArrayBuffer>;
let blank: Uint8Array<ArrayBuffer>;

beforeAll(async () => {
  service = new ServiceProcess({ API_KEYS: `test=${apiKey}` });
  url = await service.ready();
  client = new FaceEmbeddingClient({ url: `${url}/`, apiKey });
  [picture, other, blank] = await Promise.all([blobsPng(1), blobsPng(2), blankPng()]);
});
afterAll(() => service.end());

/** What a call throws. */
const failureOf = (call: Promise<unknown>): Promise<FaceEmbeddingError> =>
  call.then(
    () => Promise.reject(new Error('The call did not fail.')),
    (error) => error,
  );

describe('embed', () => {
  it('answers with the numbers that the service answers in JSON', async () => {
    const face = await client.embed(picture);
    expectTypeOf(face.embedding).toEqualTypeOf<Float32Array<ArrayBuffer>>();
    const headers = { 'Content-Type': 'image/png', Authorization: `Bearer ${apiKey}` };
    const answer = await fetch(`${url}/v1/embed`, { method: 'POST', headers, body: picture });
    const expected = (await answer.json()) as { embedding: number[] };
    expect(face).toEqual({ ...expected, embedding: new Float32Array(expected.embedding) });
  });

  it('takes bytes, a file, a data URL, a path and a URL of a file', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, { 'a b.png': picture });
    const path = join(folder, 'a b.png');
    const { embedding } = await client.embed(picture);
    for (const image of [
      picture.buffer,
      new Blob([picture]),
      new File([picture], 'a.png'),
      `data:image/png;base64,${Buffer.from(picture).toString('base64')}`,
      path,
      pathToFileURL(path),
    ]) {
      expect((await client.embed(image)).embedding).toEqual(embedding);
    }
  });

  it('takes every option of the service by its name', async () => {
    const { faces } = await client.embed(picture, { faces: 'all', quality: false, return_face: true });
    expect(faces).toHaveLength(1);
    expect(faces[0]).toHaveProperty('face_image', expect.stringMatching(/^data:image\/jpeg;base64,/));
    expect(faces[0]).not.toHaveProperty('quality');
    expect(faces[0]).toHaveProperty('embedding', expect.any(Float32Array));
    const undefinedOption = { faces: 'largest', min_quality: undefined } as const;
    expect(await client.embed(picture, undefinedOption)).toHaveProperty('face_detected', true);
  });

  it('answers several pictures of one request', async () => {
    const { results, model } = await client.embedBatch([picture, blank]);
    expect(results[0]).toHaveProperty('embedding', expect.any(Float32Array));
    expect(results[1]).toHaveProperty('error_code', 'NO_FACE_DETECTED');
    expect(model).toHaveProperty('embedding_size', 512);
    const one = await client.embedBatch([picture]);
    expect(one.results).toMatchObject([{ index: 0, embedding: (await client.embed(picture)).embedding }]);
  });

  it('makes one embedding of the pictures of one request, and offers that nowhere else', async () => {
    const { template } = await client.embedBatch([picture, picture], { fuse: true });
    if ('error' in template) throw new Error(template.error);
    expectTypeOf(template.embedding).toEqualTypeOf<Float32Array<ArrayBuffer>>();
    expect(template).toMatchObject({ embedding: expect.any(Float32Array), used: [0, 1], outliers: [] });
    expectTypeOf(client.embedBatch([picture], { fuse: false })).resolves.toEqualTypeOf<EmbeddedBatch>();
    // @ts-expect-error: its answer is about several pictures
    const single = await failureOf(client.embed(picture, { fuse: true }));
    expect(single).toMatchObject({ code: 'INVALID_REQUEST', detail: expect.stringContaining('fuse') });
    // @ts-expect-error: the client, not the caller, decides which pictures are in one request
    const many = failureOf(client.embedMany([picture], { fuse: true }).next());
    expect(await many).toMatchObject({ code: 'INVALID_REQUEST', detail: expect.stringContaining('fuse') });
  });

  it('answers one picture of a batch in the same way', async () => {
    const { results, template } = await client.embedBatch([picture], { fuse: true });
    expect(results).toEqual([expect.objectContaining({ index: 0, face_detected: true })]);
    expect(template).toHaveProperty('used', [0]);
  });
});

describe('a failure', () => {
  it('has the code, the detail and the request id of the service', async () => {
    const error = await failureOf(client.embed(blank, { requestId: 'request-of-this-test' }));
    expect(error).toBeInstanceOf(FaceEmbeddingError);
    expect(error).toMatchObject({
      name: 'FaceEmbeddingError',
      code: 'NO_FACE_DETECTED',
      detail: '0 faces',
      status: 422,
      requestId: 'request-of-this-test',
      retryable: false,
    });
    expect(error.message).toBe('No face was detected in the image. 0 faces');
  });

  it('says what is wrong with an option', async () => {
    const error = await failureOf(client.embed(picture, { min_quality: 7 }));
    expect(error).toMatchObject({ code: 'INVALID_REQUEST', detail: expect.stringContaining('min_quality') });
  });

  it('says that the key is wrong', async () => {
    const error = await failureOf(new FaceEmbeddingClient({ url, apiKey: 'another' }).modelInfo());
    expect(error).toMatchObject({ code: 'UNAUTHORIZED', status: 401 });
  });

  it('says that a file cannot be read', async () => {
    const error = await failureOf(client.embed('/no/such/file.jpg'));
    expect(error).toMatchObject({ code: 'UNREADABLE_IMAGE', cause: { code: 'ENOENT' } });
  });

  it('says that nothing answers, at the deadline', async () => {
    // Port 9 discards what it gets, where there is such a service at all.
    const error = await failureOf(
      new FaceEmbeddingClient({ url: 'http://127.0.0.1:9', timeoutMs: 300 }).modelInfo(),
    );
    expect(error).toMatchObject({ code: 'CONNECTION_FAILED', retryable: true, status: 0 });
  });

  it('says that the answer is of something else', async () => {
    const send = async () => new Response('<h1>Welcome</h1>');
    const error = await failureOf(new FaceEmbeddingClient({ url, fetch: send }).modelInfo());
    expect(error).toMatchObject({ code: 'UNEXPECTED_ANSWER', retryable: false });
  });

  it('says that an embedding of the answer cannot be read', async () => {
    const answer = async () => Response.json({ embedding: 'AAAA' });
    const failing = new FaceEmbeddingClient({ url, fetch: answer as typeof fetch });
    expect(await failureOf(failing.embed(picture))).toMatchObject({
      code: 'UNEXPECTED_ANSWER',
      retryable: false,
    });
  });

  it('is that of a redirect, which is not followed', async () => {
    let requests = 0;
    const server = createHttpServer((request, response) => {
      requests++;
      request.resume();
      response.writeHead(307, { Location: `${url}/v1/embed` }).end();
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    const redirected = new FaceEmbeddingClient({ url: `http://127.0.0.1:${port}`, apiKey });
    const failure = await failureOf(redirected.embed(picture));
    expect(failure).toMatchObject({ code: 'UNEXPECTED_ANSWER', status: 307, retryable: false });
    expect(requests).toBe(1);
    server.closeAllConnections();
    server.close();
  });

  it('does not come at once from a call without a limit of its time', async () => {
    const endless = new FaceEmbeddingClient({ url, apiKey, timeoutMs: Infinity });
    await expect(endless.embed(picture)).resolves.toMatchObject({ face_detected: true });
    await expect(endless.health({ timeoutMs: Infinity })).resolves.toMatchObject({ status: 'healthy' });
  });

  it('is thrown at once for an address that is none', () => {
    expect(() => new FaceEmbeddingClient({ url: 'no address' })).toThrow(TypeError);
  });
});

describe('a signal that is aborted already', () => {
  it('sends nothing', async () => {
    const signal = AbortSignal.abort(new Error('too late'));
    const sent: unknown[] = [];
    const send = async (...args: unknown[]) => {
      sent.push(args);
      return Response.json({ status: 'healthy' });
    };
    const aborted = new FaceEmbeddingClient({ url, fetch: send as typeof fetch });
    await expect(aborted.embed(picture, { signal })).rejects.toThrow('too late');
    await expect(aborted.compare({ reference_embeddings: [] }, { signal })).rejects.toThrow('too late');
    await expect(aborted.embedMany([picture], { signal }).next()).rejects.toThrow('too late');
    await expect(aborted.health({ signal })).rejects.toThrow('too late');
    expect(sent).toEqual([]);
  });
});

describe('the connections', () => {
  it('are kept, also after errors', async () => {
    let connections = 0;
    const between = createServer((near) => {
      connections++;
      const far = connect(Number(new URL(url).port), '127.0.0.1');
      near.pipe(far).pipe(near);
      for (const socket of [near, far]) socket.on('error', () => {}).on('close', () => far.destroy());
    });
    await new Promise<void>((listening) => between.listen(0, '127.0.0.1', listening));
    const { port } = between.address() as AddressInfo;
    const direct = new FaceEmbeddingClient({ url: `http://127.0.0.1:${port}`, apiKey });
    for (const image of [picture, blank, other]) await direct.embed(image).catch(() => {});
    await direct.embedBatch([picture, blank]);
    for await (const _ of direct.embedMany([picture, blank], { concurrency: 1 }));
    await direct.modelInfo();
    // A call that follows at once may find the first still busy with the end of its answer.
    expect(connections).toBeLessThanOrEqual(2);
    between.close();
  });
});

describe('compare', () => {
  it('ranks embeddings as embed returned them', async () => {
    const [a, b] = await Promise.all([client.embed(picture), client.embed(other)]);
    const { matches, best_match } = await client.compare({
      query_embedding: a.embedding,
      embedding_space: a.model.embedding_space,
      reference_embeddings: [
        { id: 'other', embedding: b.embedding },
        { id: 'same', embedding: Array.from(a.embedding) },
      ],
      threshold: 0.3,
    });
    expect(matches.map(({ id }) => id)).toEqual(['same', 'other']);
    expect(best_match).toMatchObject({ id: 'same', is_match: true });
    expect(best_match?.distance).toBeCloseTo(0, 6);
  });

  it('takes several queries, and many references as one block', async () => {
    const [a, b] = await Promise.all([client.embed(picture), client.embed(other)]);
    const embeddings = new Float32Array([...a.embedding, ...b.embedding]);
    const { results } = await client.compare({
      query_embeddings: [{ id: 'query', embedding: b.embedding }],
      reference_embeddings: { ids: ['a', 'b'], embeddings },
      top_k: 1,
    });
    expect(results).toMatchObject([{ id: 'query', matches: [{ id: 'b' }] }]);
  });

  it('takes pictures, and returns their embeddings as numbers', async () => {
    const { embedding } = await client.embed(picture);
    const { query, best_match } = await client.compare({
      query_image: new Blob([picture]),
      reference_embeddings: [
        { id: 'picture', image: other },
        { id: 'embedding', embedding },
      ],
      return_embeddings: true,
    });
    expect(best_match).toHaveProperty('id', 'embedding');
    expect(query?.embedding).toEqual(embedding);
  });
});

describe('the state of the service', () => {
  it('is that of health and modelInfo', async () => {
    expect(await client.health()).toEqual({ status: 'healthy', model_loaded: true, model_name: 'synthetic' });
    const info = await client.modelInfo();
    expect(info).toMatchObject({ name: 'synthetic', embedding_size: 512, synthetic: true });
  });

  it('is told while the service starts, without an error', async () => {
    const starting = new ServiceProcess({
      MODELS_DIR: '/nowhere',
      MODEL_NAME: 'buffalo_l',
      MODEL_AUTO_DOWNLOAD: 'false',
    });
    try {
      const { status, model_loaded } = await new FaceEmbeddingClient({
        url: await starting.listening(),
      }).health();
      expect(status).toMatch(/^(starting|unhealthy)$/);
      expect(model_loaded).toBe(false);
    } finally {
      await starting.end();
    }
  });
});
