import { subject } from '../pictures/ordinary.ts';
import type { Probe } from './attack.ts';
import type { SentRequest } from './client.ts';
import { embedRequest } from './usual.ts';

/** A photograph of each common format, whose embeddings must stay the same to the bit. */
export async function pictureProbes(): Promise<Probe[]> {
  const image = subject(640, 480);
  const encoded = [
    image.clone().jpeg(),
    image.clone().png(),
    image.clone().webp(),
    image.clone().avif({ effort: 0 }),
  ];
  const bodies = await Promise.all(encoded.map((one) => one.toBuffer()));
  return bodies.map((body, index) => ({
    name: `photograph ${index}`,
    request: embedRequest(body),
    answer: (answer) => JSON.stringify(JSON.parse(answer.toString()).faces),
  }));
}

/** Requests of other kinds with known answers: JSON, a form, a comparison. */
export async function bodyProbes(embedding: string): Promise<Probe[]> {
  const picture = await subject(320, 240).jpeg().toBuffer();
  const json = (path: string, body: object): SentRequest => ({
    path,
    headers: { 'Content-Type': 'application/json' },
    body: Buffer.from(JSON.stringify(body)),
  });
  const image = picture.toString('base64');
  const ids = Array.from({ length: 100 }, (_, index) => `${index}`);
  const block = Buffer.concat(ids.map(() => Buffer.from(embedding, 'base64'))).toString('base64');
  const form = Buffer.concat([
    Buffer.from('--edge\r\nContent-Disposition: form-data; name="faces"\r\n\r\nall\r\n'),
    Buffer.from('--edge\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n'),
    picture,
    Buffer.from('\r\n--edge--\r\n'),
  ]);
  const whole = (body: Buffer) => body.toString();
  return [
    { name: 'JSON', request: json('/v1/embed', { images: [image, image], faces: 'all' }), answer: whole },
    {
      name: 'form',
      request: {
        path: '/v1/embed',
        headers: { 'Content-Type': 'multipart/form-data; boundary=edge' },
        body: form,
      },
      answer: whole,
    },
    {
      name: 'comparison',
      request: json('/v1/compare', {
        query_embedding: embedding,
        reference_embeddings: { ids, embeddings: block },
        threshold: 0.4,
      }),
      answer: whole,
    },
    {
      name: 'comparison of pictures',
      request: json('/v1/compare', { query_image: image, reference_embeddings: [{ id: 'a', image }] }),
      answer: whole,
    },
  ];
}
