import { request } from 'node:http';
import { connect } from 'node:net';
import { oneOf, type Random } from '../pictures/mutate.ts';
import { subject } from '../pictures/ordinary.ts';
import type { Client, SentRequest } from './client.ts';

/** One kind of request of the mix. */
export interface Kind {
  name: string;
  /** How often it comes, in proportion to the others. */
  weight: number;
  /** Sends one and reads the answer. @returns what was wrong with it. */
  send: (random: Random) => Promise<string | undefined>;
}

/** Answers about load, which a caller is told to retry. */
const isBusy = (status: number) => status === 503 || status === 504;

/** What callers send in an ordinary hour, and what goes wrong with some of it. */
export async function ordinaryMix(client: Client): Promise<Kind[]> {
  const photographs = await photographsOf();
  const known = new Map<string, string>();

  /** The answer must have the status, and be the same as the first one to the same request. */
  const exact = (key: string, status: number, make: () => SentRequest) => async () => {
    const received = await client.send(make());
    if (isBusy(received.status)) return undefined;
    if (received.status !== status)
      return `${received.status} ${received.failure ?? received.body.toString('latin1', 0, 200)}`;
    if (status !== 200) return undefined;
    const text = received.body.toString();
    const before = known.get(key);
    if (before === undefined) known.set(key, text);
    else if (before !== text) return 'the answer differs from the first one';
    return undefined;
  };
  const kind = (name: string, weight: number, send: Kind['send']): Kind => ({ name, weight, send });
  const json = (path: string, body: object, headers = {}): SentRequest => ({
    path,
    headers: { 'Content-Type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify(body)),
  });
  const raw = (body: Buffer, query = ''): SentRequest => ({
    path: `/v1/embed${query}`,
    headers: { 'Content-Type': 'image/*' },
    body,
  });
  const get = (path: string): SentRequest => ({ method: 'GET', path, headers: {}, body: Buffer.alloc(0) });

  const [first] = photographs.small as [Buffer];
  const embedded = await client.send(raw(first, '?faces=all&encoding_format=base64'));
  const embedding =
    (JSON.parse(embedded.body.toString()).faces[0]?.embedding as string | undefined) ??
    Buffer.alloc(2_048, 63).toString('base64');
  const numbers = [...new Float32Array(new Uint8Array(Buffer.from(embedding, 'base64')).buffer)];
  const list = (count: number) =>
    Array.from({ length: count }, (_, id) => ({
      id: `${id}`,
      embedding: id % 2 === 0 ? embedding : numbers,
    }));
  const block = (count: number) => ({
    ids: Array.from({ length: count }, (_, id) => `${id}`),
    embeddings: Buffer.concat(Array(count).fill(Buffer.from(embedding, 'base64'))).toString('base64'),
  });
  const texts = photographs.small.map((photo) => photo.toString('base64'));
  const bodies = {
    list: json('/v1/compare', {
      query_embedding: embedding,
      reference_embeddings: list(300),
      top_k: 5,
      threshold: 0.4,
    }),
    block: json('/v1/compare', { query_embedding: numbers, reference_embeddings: block(5_000), top_k: 5 }),
    pictures: json('/v1/compare', {
      query_image: texts[0],
      reference_embeddings: [{ id: 'a', image: texts[1] }],
    }),
    batch: json('/v1/embed', { images: texts, faces: 'all', encoding_format: 'base64' }),
    lines: json(
      '/v1/embed',
      { images: [...texts, ...texts], faces: 'all' },
      { Accept: 'application/x-ndjson' },
    ),
  };

  const anyOf = (name: string, weight: number, photos: readonly Buffer[], query: string) =>
    kind(name, weight, async (random) => {
      const photo = oneOf(random, photos);
      return exact(`${name} ${photos.indexOf(photo)}`, 200, () => raw(photo, query))();
    });
  return [
    anyOf('a small photograph', 30, photographs.small, '?faces=all'),
    anyOf('an ordinary photograph', 30, photographs.ordinary, '?faces=all&encoding_format=base64'),
    anyOf('a photograph of a camera', 3, photographs.large, '?faces=all'),
    kind(
      'JSON',
      10,
      exact('JSON', 200, () => json('/v1/embed', { image: texts[0], faces: 'all' })),
    ),
    kind(
      'a form',
      5,
      exact('form', 200, () => formOf(photographs.ordinary[0] as Buffer)),
    ),
    kind(
      'a batch',
      3,
      exact('batch', 200, () => bodies.batch),
    ),
    kind(
      'a list of references',
      8,
      exact('list', 200, () => bodies.list),
    ),
    kind(
      'a block of references',
      4,
      exact('block', 200, () => bodies.block),
    ),
    kind(
      'a comparison of pictures',
      4,
      exact('pictures', 200, () => bodies.pictures),
    ),
    kind('lines', 2, async () => {
      const { status, body } = await client.send(bodies.lines);
      if (isBusy(status)) return undefined;
      const lines = body.toString().trimEnd().split('\n');
      return lines.length === 2 * texts.length + 1 && lines.at(-1)?.includes('"done":true')
        ? undefined
        : `${status}, ${lines.length} lines`;
    }),
    kind(
      'a broken photograph',
      4,
      exact('broken', 422, () => raw(first.subarray(0, 1_000))),
    ),
    kind(
      'no photograph',
      2,
      exact('text', 415, () => raw(Buffer.from('This is no photograph.'))),
    ),
    kind(
      'malformed JSON',
      2,
      exact('malformed', 400, () => json('/v1/compare', [])),
    ),
    kind(
      'an unknown path',
      1,
      exact('unknown', 404, () => get('/v2/embed')),
    ),
    kind(
      'too large an image',
      1,
      exact('large', 413, () => raw(Buffer.alloc(11 * 1024 * 1024))),
    ),
    kind(
      'probes',
      5,
      exact('probes', 200, () => get('/readyz')),
    ),
    kind('metrics', 2, async () => {
      const { status } = await client.send(get('/metrics'));
      return status === 200 ? undefined : `${status}`;
    }),
    kind(
      'the description',
      1,
      exact('description', 200, () => get('/openapi.json')),
    ),
    kind('a hang-up while sending', 3, () => hangUp(client.address, photographs.ordinary[0] as Buffer)),
    kind('a hang-up while waiting', 3, () => hangUpWaiting(client.address, bodies.lines)),
  ];
}

function formOf(photo: Buffer): SentRequest {
  const field = '--edge\r\nContent-Disposition: form-data; name="faces"\r\n\r\nall\r\n';
  const file = '--edge\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n';
  return {
    path: '/v1/embed',
    headers: { 'Content-Type': 'multipart/form-data; boundary=edge' },
    body: Buffer.concat([Buffer.from(field + file), photo, Buffer.from('\r\n--edge--\r\n')]),
  };
}

/** Sends half of a photograph and resets the connection. */
function hangUp(address: string, photo: Buffer): Promise<undefined> {
  const { port, hostname } = new URL(address);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    socket.on('close', () => resolve(undefined));
    socket.write(
      `POST /v1/embed HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: ${photo.length}\r\n\r\n`,
    );
    socket.write(photo.subarray(0, photo.length / 2), () => socket.resetAndDestroy());
  });
}

/** Sends a request and leaves at the first byte of its answer, or before. */
function hangUpWaiting(address: string, { path, headers, body }: SentRequest): Promise<undefined> {
  return new Promise((resolve) => {
    const sending = request(address + path, {
      method: 'POST',
      headers: { ...headers, 'Content-Length': body.length },
      agent: false,
    });
    sending.on('error', () => {});
    sending.on('close', () => resolve(undefined));
    sending.on('response', (response) => {
      response.on('error', () => {});
      response.once('data', () => sending.destroy());
    });
    sending.end(body, () => setTimeout(() => sending.destroy(), 300));
  });
}

async function photographsOf(): Promise<Record<'small' | 'ordinary' | 'large', Buffer[]>> {
  const encode = (width: number, height: number) => {
    const image = subject(width, height);
    return [image.clone().jpeg(), image.clone().png(), image.clone().webp()].map((one) => one.toBuffer());
  };
  const [small, ordinary, large] = await Promise.all([
    Promise.all([
      ...encode(250, 250),
      subject(250, 250).avif({ effort: 0 }).toBuffer(),
      subject(250, 250).gif().toBuffer(),
      subject(250, 250).tiff().toBuffer(),
    ]),
    Promise.all([...encode(1280, 960), ...encode(640, 480)]),
    Promise.all([
      subject(4_000, 3_000).jpeg().toBuffer(),
      subject(3_000, 4_000).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
    ]),
  ]);
  return { small, ordinary, large };
}
