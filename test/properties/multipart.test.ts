import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ServiceError } from '../../src/errors.ts';
import { type MultipartForm, readMultipart } from '../../src/http/body/multipart.ts';
import { checkAsync, SEED } from './check.ts';

const LIMITS = { fileBytes: 2_000, files: 8 };

/** A part of a form: a file has bytes, a field has text. */
type Part = { name: string; bytes: Uint8Array; fileName: string } | { name: string; text: string };

/** Names without what clients escape in ways of their own. */
const name = fc.string({ unit: fc.constantFrom(...'abcXYZ09_-.[] éő'), minLength: 1, maxLength: 20 });

/** Also what looks like the end of a part. */
const content = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc
    .array(fc.constantFrom('\r\n', '--', '\r\n--', 'formdata', 'X', '\r', '\n', '--X--', '\0'), {
      maxLength: 12,
    })
    .map((pieces) => new TextEncoder().encode(pieces.join(''))),
);

const parts: fc.Arbitrary<Part[]> = fc
  .tuple(
    fc.array(fc.record({ name, bytes: content, fileName: name }), { maxLength: 4 }),
    fc.uniqueArray(fc.record({ name, text: fc.string({ unit: 'grapheme', maxLength: 60 }) }), {
      selector: (field) => field.name,
      maxLength: 4,
    }),
    fc.infiniteStream(fc.boolean()),
  )
  .map(([files, fields, turns]) => {
    const mixed: Part[] = [];
    while (files.length + fields.length > 0) {
      const [first, second] = turns.next().value ? [files, fields] : [fields, files];
      mixed.push((first.shift() ?? second.shift()) as Part);
    }
    return mixed;
  });

/** Where a body is cut into chunks. */
const cuts = fc.array(fc.nat({ max: 3_000 }), { maxLength: 20 });

async function* chunksOf(body: Uint8Array, places: readonly number[]): AsyncGenerator<Uint8Array> {
  let start = 0;
  for (const end of [...places.filter((at) => at < body.length).sort((a, b) => a - b), body.length]) {
    yield body.subarray(start, end);
    start = end;
  }
}

/** What the form contains, with files that are not too large. */
function contentOf(form: readonly Part[]) {
  return {
    files: form.flatMap((part) => ('bytes' in part ? [[part.name, Buffer.from(part.bytes)]] : [])),
    fields: Object.fromEntries(form.flatMap((part) => ('text' in part ? [[part.name, part.text]] : []))),
  };
}

const read = ({ files, fields }: MultipartForm) => ({
  files: files.map(({ name: file, bytes }) => [file, bytes && Buffer.from(bytes)]),
  fields: { ...fields },
});

/** A form as the platform's own encoder writes it. */
async function encode(form: readonly Part[]): Promise<{ body: Uint8Array; type: string }> {
  const data = new FormData();
  for (const part of form) {
    if ('text' in part) data.append(part.name, part.text);
    else data.append(part.name, new Blob([new Uint8Array(part.bytes)]), part.fileName);
  }
  const response = new Response(data);
  const type = response.headers.get('content-type') as string;
  return { body: new Uint8Array(await response.arrayBuffer()), type };
}

/** Line breaks of a field become CRLF when a form is encoded. Source: HTML, "multipart/form-data encoding algorithm". */
const encoded = (text: string) => text.replace(/\r\n|\r|\n/g, '\r\n');

describe(`forms (seed ${SEED})`, () => {
  it('are read as they were written, however they are cut into chunks', async () => {
    await checkAsync(
      fc.asyncProperty(parts, cuts, async (form, places) => {
        const { body, type } = await encode(form);
        const result = await readMultipart(chunksOf(body, places), type, () => false, LIMITS);
        const { files, fields } = contentOf(form);
        for (const [field, text] of Object.entries(fields)) fields[field] = encoded(text);
        expect(read(result)).toEqual({ files, fields });
      }),
    );
  });

  it('lose a file that is too large, and no other', async () => {
    const sizes = fc.array(fc.integer({ min: LIMITS.fileBytes - 2, max: LIMITS.fileBytes + 2 }), {
      minLength: 1,
      maxLength: LIMITS.files,
    });
    await checkAsync(
      fc.asyncProperty(sizes, cuts, async (lengths, places) => {
        const form = lengths.map((length, at) => ({
          name: 'image',
          fileName: 'x',
          bytes: new Uint8Array(length).fill(at),
        }));
        const { body, type } = await encode(form);
        const { files } = await readMultipart(chunksOf(body, places), type, () => false, LIMITS);
        const expected = lengths.map((length) => (length > LIMITS.fileBytes ? undefined : length));
        expect(files.map(({ bytes }) => bytes?.length)).toEqual(expected);
      }),
    );
  });

  it('end as a form or as a refusal when bytes of them are changed', async () => {
    const changes = fc.array(
      fc.tuple(fc.nat(), fc.constantFrom('\r\n', '--', '"', ';', ':', '\0', 'é', '', 'Content-', '=')),
      { minLength: 1, maxLength: 6 },
    );
    await checkAsync(
      fc.asyncProperty(parts, changes, cuts, fc.boolean(), async (form, replaced, places, cut) => {
        const { body, type } = await encode(form);
        let changed = Buffer.from(body);
        for (const [place, text] of replaced) {
          const at = place % (changed.length + 1);
          changed = Buffer.concat([
            changed.subarray(0, at),
            Buffer.from(text),
            changed.subarray(at + text.length),
          ]);
        }
        if (cut) changed = changed.subarray(0, (replaced[0]?.[0] ?? 0) % (changed.length + 1));
        const outcome = await readMultipart(chunksOf(changed, places), type, () => true, LIMITS).catch(
          (error: unknown) => error,
        );
        if (outcome instanceof ServiceError) expect(outcome.status).toBeLessThan(500);
        else expect(outcome).toEqual({ files: expect.any(Array), fields: expect.anything() });
      }),
    );
  });
});
