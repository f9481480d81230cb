import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Format } from './pictures/formats.ts';
import { subject } from './pictures/ordinary.ts';
import { report, reportSkipped } from './support/campaign.ts';
import { Client, type Received, type SentRequest } from './support/client.ts';
import { FragmentFinder } from './support/fragments.ts';
import { Target } from './support/target.ts';
import { type FileUse, filesWritten, readTrace, type SocketUse, socketsUsed } from './support/trace.ts';

/** Just below MAX_IMAGE_PIXELS, and sides that every format can have. */
const LARGEST = { width: 8_000, height: 6_200 };
const MAX_IMAGE_BYTES = 10 * 1024 * 1024;

const canTrace = spawnSync('strace', ['-f', '-o', '/dev/null', 'true']).status === 0;

describe('a service that is traced while it answers every route with the largest pictures', () => {
  if (!canTrace) {
    it.skip('is not checked: strace is missing or may not trace', () => {});
    reportSkipped('Nothing kept', 'strace is missing or may not trace: apt-get install strace.');
    return;
  }

  let folder: string;
  let written: FileUse[];
  let sockets: SocketUse[];
  let text: string;
  let sent: SentRequest[];
  let answers: Received[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nothing-kept-'));
    const trace = join(folder, 'trace');
    // Folders of its own, so that whatever is left in them is the service's.
    for (const name of ['tmp', 'home']) mkdirSync(join(folder, name));
    // The service stays the direct child, so that signals reach it.
    const wrapper = [
      'strace',
      '-D',
      '-f',
      '-qq',
      '-y',
      '-o',
      trace,
      '-e',
      'trace=%file,%network,memfd_create',
    ];
    const target = new Target(
      { LOG_LEVEL: 'trace', TMPDIR: join(folder, 'tmp'), HOME: join(folder, 'home') },
      { wrapper },
    );
    try {
      await target.start();
      const client = new Client(target.address);
      sent = await requests(client);
      answers = [];
      for (const request of sent) answers.push(await client.send(request));
      client.close();
      await target.service.stop();
    } finally {
      await target.end();
    }
    text = target.service.stdout + target.service.stderr;
    const calls = readTrace(readFileSync(trace, 'latin1'));
    // Node alone opens hundreds of files to read its modules.
    expect(calls.length).toBeGreaterThan(500);
    written = filesWritten(calls);
    sockets = socketsUsed(calls);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('answers them', () => {
    const statuses = answers.map(({ status }) => status);
    report('Nothing kept', {
      requests: sent.length,
      largest: `${LARGEST.width}×${LARGEST.height}`,
      bytes: sent.reduce((sum, { body }) => sum + body.length, 0),
      statuses: Object.fromEntries(
        [...new Set(statuses)].map((one) => [one, statuses.filter((status) => status === one).length]),
      ),
      opened: written.map(({ path }) => path),
      sockets: sockets.length,
      bytesLogged: text.length,
    });
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(20);
    for (const { status, body } of answers) expect(status, body.toString('latin1', 0, 300)).toBeLessThan(500);
  });

  it('opens no file for writing', () => {
    expect(written).toEqual([]);
    for (const name of ['tmp', 'home']) expect(readdirSync(join(folder, name))).toEqual([]);
  });

  it('has no connection but those that callers opened', () => {
    expect(sockets).toEqual([]);
  });

  it('logs no piece of a picture, of a body or of an embedding', () => {
    expect(text).toContain('"msg":"request"');
    const log = new FragmentFinder(text);
    const embeddings = answers.flatMap(({ body }) => embeddingsIn(body.toString()));
    expect(embeddings.length).toBeGreaterThan(20);
    const digits = embeddings
      .flatMap((values) => values.map((value) => String(Math.abs(value))))
      .filter(({ length }) => length >= 9);
    expect(digits.filter((number) => text.includes(number))).toEqual([]);
    for (const { body } of sent) {
      const bytes = Buffer.from(body);
      for (const encoding of ['latin1', 'base64', 'hex'] as const) {
        expect(log.find(bytes.toString(encoding))).toBeUndefined();
      }
    }
    // Embeddings and aligned faces as base64.
    const texts = answers.flatMap(({ body }) => body.toString().match(/[A-Za-z0-9+/]{100,}/g) ?? []);
    expect(texts.length).toBeGreaterThan(10);
    for (const secret of texts) expect(log.find(secret)).toBeUndefined();
  });
});

/** Every embedding in an answer, as numbers. */
function embeddingsIn(answer: string): number[][] {
  const lists = [...answer.matchAll(/"embedding":\[([^\]]+)\]/g)].map(([, list]) =>
    (list as string).split(',').map(Number),
  );
  const texts = [...answer.matchAll(/"embedding":"([^"]+)"/g)].map(([, text]) => {
    const bytes = Buffer.from(text as string, 'base64');
    return Array.from({ length: bytes.length / 4 }, (_, index) =>
      Number(bytes.readFloatLE(4 * index).toPrecision(9)),
    );
  });
  return [...lists, ...texts];
}

/** Pictures at the limit of pixels, in every format, and within the limit of bytes. */
async function largestPictures(): Promise<Map<Format, Buffer>> {
  const { width, height } = LARGEST;
  const { data, info } = await subject(width, height).blur(3).raw().toBuffer({ resolveWithObject: true });
  const image = () => sharp(data, { raw: info });
  const encoded = {
    jpeg: image().jpeg({ quality: 80 }),
    png: image().png({ palette: true, colours: 8, effort: 1 }),
    webp: image().webp({ quality: 60, effort: 0 }),
    gif: image().gif({ colours: 8, effort: 1 }),
    tiff: image().tiff({ compression: 'jpeg', quality: 70 }),
    avif: image().avif({ effort: 0, quality: 40 }),
  };
  const pictures = new Map<Format, Buffer>();
  for (const [format, pipeline] of Object.entries(encoded)) {
    const bytes = await pipeline.toBuffer();
    expect(bytes.length, format).toBeLessThan(MAX_IMAGE_BYTES);
    pictures.set(format as Format, bytes);
  }
  return pictures;
}

/** Requests to all routes, in all transports; some that fail late. */
async function requests(client: Client): Promise<SentRequest[]> {
  const pictures = await largestPictures();
  const jpeg = pictures.get('jpeg') as Buffer;
  const small = await subject(320, 240).jpeg().toBuffer();
  const json = (path: string, body: object, headers = {}): SentRequest => ({
    path,
    headers: { 'Content-Type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify(body)),
  });
  const raw = (path: string, body: Buffer): SentRequest => ({
    path,
    headers: { 'Content-Type': 'image/*' },
    body,
  });
  const get = (path: string): SentRequest => ({ method: 'GET', path, headers: {}, body: Buffer.alloc(0) });
  const form = (files: readonly Buffer[]): SentRequest => ({
    path: '/v1/embed',
    headers: { 'Content-Type': 'multipart/form-data; boundary=edge' },
    body: Buffer.concat([
      Buffer.from('--edge\r\nContent-Disposition: form-data; name="faces"\r\n\r\nall\r\n'),
      ...files.flatMap((file) => [
        Buffer.from('--edge\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n'),
        file,
        Buffer.from('\r\n'),
      ]),
      Buffer.from('--edge--\r\n'),
    ]),
  });
  const image = small.toString('base64');
  const large = jpeg.toString('base64');
  const { body } = await client.send(raw('/v1/embed?faces=all&encoding_format=base64', small));
  const embedding =
    (JSON.parse(body.toString()).faces[0]?.embedding as string | undefined) ??
    Buffer.alloc(2_048, 63).toString('base64');
  const ids = Array.from({ length: 5_000 }, (_, index) => `person ${index}`);
  const block = {
    ids,
    embeddings: Buffer.concat(ids.map(() => Buffer.from(embedding, 'base64'))).toString('base64'),
  };
  return [
    ...[...pictures.values()].flatMap((picture) => [
      raw('/v1/embed?faces=all', picture),
      raw('/v1/embed?faces=all&encoding_format=base64&return_face=true&min_quality=0.1', picture),
      form([picture]),
      json('/v1/embed', { image: picture.toString('base64'), faces: 'all' }),
      raw('/v1/embed?faces=all', picture.subarray(0, picture.length * 0.6)),
    ]),
    form([jpeg, small, jpeg.subarray(0, 50_000)]),
    json('/v1/embed', { images: [large, image], faces: 'all' }, { Accept: 'application/x-ndjson' }),
    json('/v1/compare', { query_embedding: embedding, reference_embeddings: block }),
    json('/v1/compare', {
      query_embeddings: { ...block, ids: ids.slice(0, 1) },
      reference_embeddings: block,
    }),
    json('/v1/compare', {
      query_image: large,
      reference_embeddings: [{ id: 'a', image }],
      return_embeddings: true,
    }),
    json('/v1/compare', { query_embedding: `${embedding}*`, reference_embeddings: block }),
    json('/v1/embed', { image: `${large}*` }),
    ...[
      '/',
      '/livez',
      '/readyz',
      '/v1/health',
      '/v1/model-info',
      '/metrics',
      '/openapi.json',
      '/docs',
      '/nowhere',
    ].map(get),
  ];
}
