import { describe, expect, it } from 'vitest';
import { expectRefusal, useEmbedRoute } from './embed-requests.ts';

const { send } = useEmbedRoute({ MAX_IMAGE_SIZE: '200000', MAX_REQUEST_SIZE: '400000' });

/** More than Busboy of Node 20 holds of a part that nothing reads: then it waits for ever. That of Node 24 passes over the part. */
const LONG = 'a'.repeat(100_000);

describe('a multipart body', () => {
  const form = (body: string, boundary = 'x') =>
    send({ headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` }, body });
  const part = (head: string, content = 'abc') =>
    `--x\r\nContent-Disposition: form-data; ${head}\r\n\r\n${content}\r\n`;

  it.each([
    ['without an image', `${part('name="faces"', 'all')}--x--\r\n`, /^image: /],
    ['with a file of another name', `${part('name="photo"; filename="a.png"')}--x--\r\n`, /^image: /],
    ['with an unknown field', `${part('name="image"')}${part('name="color"')}--x--\r\n`, /color/],
    [
      'with a repeated field',
      `${part('name="faces"', 'all')}${part('name="faces"', 'all')}--x--\r\n`,
      /repeated/,
    ],
    ['with a field that is too long', `${part('name="faces"', 'a'.repeat(5000))}--x--\r\n`, /too long/],
    [
      'with a file of another name beside the image',
      `${part('name="image"')}${part('name="photo"; filename="a.png"')}--x--\r\n`,
      /^image: /,
    ],
    ['that is truncated', part('name="image"; filename="a.png"'), /not valid|incomplete/],
    ['that is not multipart', 'hello', /not valid/],
    ['that is empty', '', /not valid/],
    ['of empty parts', '--x\r\n\r\n\r\n'.repeat(200), /too many parts/],
    ['of bare delimiters', '--x\r\n'.repeat(200), /too many parts/],
    ['of nameless parts', '--x\r\nX-A: b\r\n\r\nc\r\n'.repeat(200), /too many parts/],
    ['with a long part without a name', `--x\r\nX-A: b\r\n\r\n${LONG}\r\n--x--\r\n`, /header|^image: /],
    ['with a long part without headers', `--x\r\n\r\n${LONG}\r\n--x--\r\n`, /header|^image: /],
    [
      'with too many fields',
      Array.from({ length: 50 }, (_, i) => part(`name="f${i}"`)).join(''),
      /too many|not valid/,
    ],
  ])('%s is refused with INVALID_REQUEST', async (_name, body, detail) => {
    expectRefusal(await form(body), 400, 'INVALID_REQUEST', detail);
  });

  it('without a boundary is refused', async () => {
    const answer = await send({ headers: { 'Content-Type': 'multipart/form-data' }, body: 'hello' });
    expectRefusal(answer, 400, 'INVALID_REQUEST', /boundary/);
  });

  it('can have an image part without a file name', async () => {
    const answer = await form(`${part('name="image"')}--x--\r\n`);
    expect(answer.body.error_code).toBe('UNSUPPORTED_FORMAT');
  });
});
