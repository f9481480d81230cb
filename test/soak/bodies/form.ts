import { below, CHANGES, oneOf, type Random } from '../pictures/mutate.ts';

/** The value of a field, or a file. */
export interface FormPart {
  name: string;
  content: Buffer;
  fileName?: string;
}

const BOUNDARIES = [
  'edge',
  '----WebKitFormBoundary7MA4YWxkTrZu0gW',
  'a',
  "x'()+_,-./:=? y",
  'e'.repeat(70),
  'e'.repeat(300),
  '',
];

const HEADERS = [
  'Content-Type: image/png',
  'Content-Type: text/plain; charset=utf-16',
  'Content-Transfer-Encoding: base64',
  'Content-Length: 5',
  'X-Long: '.padEnd(20_000, 'x'),
  'No colon',
  ': empty',
  'Content-Disposition: form-data; name="image"',
];

export interface Form {
  body: Buffer;
  contentType: string;
}

/** A form as clients write it, changed in some of the ways in which clients go wrong, or worse. */
export function changedForm(random: Random, parts: readonly FormPart[]): Form {
  const boundary = random() < 0.7 ? 'edge' : oneOf(random, BOUNDARIES);
  const written = parts.flatMap((part) => {
    const times = random() < 0.05 ? below(random, 100) : 1;
    return Array.from({ length: random() < 0.05 ? 0 : times }, () => writePart(random, part, boundary));
  });
  const end =
    random() < 0.9
      ? `--${boundary}--\r\n`
      : oneOf(random, ['', `--${boundary}`, `--${boundary}--`, '--', `--${boundary}\r\n`.repeat(500)]);
  const preamble = random() < 0.1 ? oneOf(random, ['preamble\r\n', '\r\n\r\n', '--\r\n', '\0\r\n']) : '';
  let body = Buffer.concat([Buffer.from(preamble), ...written, Buffer.from(end)]);
  if (random() < 0.4) body = Buffer.from(oneOf(random, CHANGES)(random, body));
  return { body, contentType: contentTypeOf(random, boundary) };
}

function writePart(random: Random, { name, content, fileName }: FormPart, boundary: string): Buffer {
  const chosen =
    random() < 0.9
      ? name
      : oneOf(random, ['', 'image', 'images', '__proto__', 'faces', 'é', '"', 'x'.repeat(500)]);
  const file = fileName === undefined && random() < 0.95 ? '' : `; filename="${fileName ?? 'x'}"`;
  const extra = random() < 0.2 ? [oneOf(random, HEADERS)] : [];
  const disposition = random() < 0.97 ? [`Content-Disposition: form-data; name="${chosen}"${file}`] : [];
  const head = [`--${boundary}`, ...disposition, ...extra, '', ''].join(random() < 0.97 ? '\r\n' : '\n');
  return Buffer.concat([Buffer.from(head), content, Buffer.from('\r\n')]);
}

function contentTypeOf(random: Random, boundary: string): string {
  if (random() < 0.9) return `multipart/form-data; boundary="${boundary}"`;
  return oneOf(random, [
    'multipart/form-data',
    'multipart/form-data; boundary=',
    'multipart/form-data; boundary="edge',
    'multipart/form-data; boundary=other',
    'multipart/mixed; boundary=edge',
    'MULTIPART/FORM-DATA; BOUNDARY=edge',
    'multipart/form-data; charset=utf-8; boundary=edge; boundary=other',
  ]);
}
