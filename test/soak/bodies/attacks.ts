import { seededRandom } from '../../support/numbers.ts';
import { below, CHANGES, oneOf, type Random } from '../pictures/mutate.ts';
import type { Attack } from '../support/attack.ts';
import type { SentRequest } from '../support/client.ts';
import { changedForm, type FormPart } from './form.ts';
import { changeJson, type Json, writeJson } from './json.ts';

/** What bodies are made of. */
export interface Material {
  pictures: readonly Buffer[];
  /** An embedding of the model, as base64 and as numbers. */
  embedding: { text: string; numbers: number[] };
  space: string;
}

/** Valid JSON bodies of both operations, in every form. */
function jsonBodies({ pictures, embedding, space }: Material): { path: string; body: Json }[] {
  const images = pictures.map((picture) => picture.toString('base64'));
  const [image = ''] = images;
  const { text, numbers } = embedding;
  const embed = '/v1/embed';
  const compare = '/v1/compare';
  const references: Json[] = [
    { id: 'a', embedding: text },
    { id: 'b', embedding: numbers, embedding_space: space },
  ];
  const block = {
    ids: ['a', 'b', 'c'],
    embeddings: Buffer.concat(Array(3).fill(Buffer.from(text, 'base64'))).toString('base64'),
  };
  return [
    { path: embed, body: { image } },
    { path: embed, body: { image: `data:image/png;base64,${image}`, faces: 'all', quality: false } },
    {
      path: embed,
      body: {
        images,
        faces: 'largest',
        detection: 'fast',
        encoding_format: 'base64',
        min_quality: 0.1,
        min_face_size: 10,
      },
    },
    {
      path: compare,
      body: { query_embedding: text, reference_embeddings: references, threshold: 0.4, top_k: 1 },
    },
    {
      path: compare,
      body: { query_embedding: numbers, reference_embeddings: block, distance_metric: 'euclidean' },
    },
    {
      path: compare,
      body: { query_embeddings: block, reference_embeddings: references, embedding_space: space },
    },
    {
      path: compare,
      body: {
        query_image: image,
        reference_embeddings: [...references, { id: 'c', image }],
        return_embeddings: true,
      },
    },
  ];
}

const CONTENT_TYPES = [
  ...[
    'application/json',
    'image/png',
    'image/svg+xml',
    'application/octet-stream',
    'text/plain',
    '',
    ';',
    'application/json; charset=latin1',
  ],
  ...[
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    'image/',
    '*/*',
    'application/json, image/png',
  ],
];

const QUERIES = [
  ...[
    '',
    '?',
    '?faces=all',
    '?faces=all&faces=single',
    '?faces=',
    '?FACES=all',
    '?unknown=1',
    '?detection_threshold=0',
  ],
  ...[
    '?detection_threshold=1e5',
    '?detection_threshold=-0',
    '?min_quality=nan',
    '?return_face=true',
    '?quality=1',
    '?%',
    '?%00=%ff',
  ],
  ...[
    '?faces=all&encoding_format=base64&min_face_size=0',
    `?faces=${'a'.repeat(5_000)}`,
    '?__proto__=1',
    '?faces[]=all',
    '?a&b&c',
  ],
];

const PATHS = [
  ...[
    '/v1/embed',
    '/v1/compare',
    '/v1/embed/',
    '/v1//embed',
    '/V1/EMBED',
    '/v1/embed%00',
    '/v1/../v1/embed',
    '/',
    '/v1',
    '/readyz',
  ],
  ...[
    '/metrics',
    '/openapi.json',
    '/docs',
    '/docs/%2e%2e/%2e%2e/package.json',
    '/%ff',
    '/v1/health',
    '/v1/model-info',
  ],
];

const METHODS = ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'POST'];

const HEADERS: readonly [string, string][] = [
  ...(['', '*/*', 'application/x-ndjson', 'text/html', 'application/json;q=0', ';;;'] as const).map(
    (accept): [string, string] => ['Accept', accept],
  ),
  ['Content-Encoding', 'gzip'],
  ['Content-Encoding', 'identity'],
  ['X-Request-Id', 'a'.repeat(1_000)],
  ['X-Request-Id', '"; drop'],
  ['traceparent', '00-ffffffffffffffffffffffffffffffff-ffffffffffffffff-ff'],
  ['traceparent', 'x'],
  ['Authorization', 'Bearer '],
  ['X-API-Key', 'é'],
  ['Origin', 'http://evil.example'],
  ['Range', 'bytes=0-1'],
  ['If-None-Match', '*'],
  ['X-HTTP-Method-Override', 'DELETE'],
  ['Cookie', 'a=b; '.repeat(500)],
];

/** @returns the attack of each number; the same number is the same attack. */
export function bodyAttacks(material: Material, seed: number): (index: number) => Attack {
  const bodies = jsonBodies(material);
  return (index) => {
    const random = seededRandom(seed * 1_000_003 + index);
    const kind = random();
    const [name, request] =
      kind < 0.5
        ? (['json', jsonRequest(random, bodies)] as const)
        : kind < 0.8
          ? (['form', formRequest(random, material)] as const)
          : (['raw', rawRequest(random, material, bodies)] as const);
    if (random() < 0.15) {
      const [header, value] = oneOf(random, HEADERS);
      // Sent as Latin-1, and refused by Node beyond it.
      request.headers[header] = value;
    }
    return { name: `${name} #${index}`, request };
  };
}

function jsonRequest(random: Random, bodies: ReturnType<typeof jsonBodies>): SentRequest {
  const { path, body } = oneOf(random, bodies);
  let bytes = writeJson(random, changeJson(random, body));
  if (random() < 0.3) bytes = Buffer.from(oneOf(random, CHANGES)(random, bytes));
  return { path, headers: { 'Content-Type': 'application/json' }, body: bytes };
}

function formRequest(random: Random, { pictures }: Material): SentRequest {
  const options: FormPart[] = [
    { name: 'faces', content: Buffer.from(oneOf(random, ['all', 'single', 'largest', '', 'x'])) },
    { name: 'quality', content: Buffer.from(oneOf(random, ['true', 'false', '1', 'TRUE', ''])) },
    { name: 'detection_threshold', content: Buffer.from(oneOf(random, ['0.5', '0', '1', '2', 'x'])) },
  ];
  const images = Array.from(
    { length: 1 + below(random, 3) },
    (): FormPart => ({ name: 'image', content: oneOf(random, pictures), fileName: 'x' }),
  );
  const parts = [...images, ...options.filter(() => random() < 0.5)].sort(() => random() - 0.5);
  const { body, contentType } = changedForm(random, parts);
  const path = random() < 0.95 ? '/v1/embed' : '/v1/compare';
  return { path, headers: { 'Content-Type': contentType }, body };
}

function rawRequest(
  random: Random,
  { pictures }: Material,
  bodies: ReturnType<typeof jsonBodies>,
): SentRequest {
  const body =
    random() < 0.7 ? oneOf(random, pictures) : Buffer.from(JSON.stringify(oneOf(random, bodies).body));
  const path = (random() < 0.6 ? '/v1/embed' : oneOf(random, PATHS)) + oneOf(random, QUERIES);
  const headers = { 'Content-Type': random() < 0.5 ? 'image/png' : oneOf(random, CONTENT_TYPES) };
  const method = random() < 0.85 ? 'POST' : oneOf(random, METHODS);
  return { method, path, headers, body: random() < 0.1 ? Buffer.alloc(0) : body };
}
