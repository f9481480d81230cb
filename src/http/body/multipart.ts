import { setImmediate } from 'node:timers/promises';
import { Busboy, type BusboyInstance } from '@fastify/busboy';
import { ServiceError } from '../../errors.ts';

export interface MultipartLimits {
  /** Bytes of one file part. */
  fileBytes: number;
  /** File parts. */
  files: number;
}

export interface FilePart {
  name: string;
  /** Undefined when the part has none. */
  fileName: string | undefined;
  /** Undefined when it has more bytes than the limit; none of them are kept. */
  bytes: Uint8Array<ArrayBuffer> | undefined;
}

export interface MultipartForm {
  /** In the order of the body. */
  files: FilePart[];
  fields: Record<string, string>;
}

/** Options are few and short; a form with more or longer fields is malformed. */
const MAX_FIELDS = 32;
const MAX_FIELD_BYTES = 1024;
const MAX_FIELD_NAME_LENGTH = 100;
const MAX_HEADERS_PER_PART = 32;
/** Room for the longest file name, percent-encoded. Busboy ignores what is longer, and so a part without a usable header. */
const MAX_HEADER_BYTES_PER_PART = 8 * 1024;

/**
 * Reads multipart/form-data from a stream of chunks. It stops at the first limit that is exceeded, except that a file that is too
 * large is skipped: the other files may be good.
 *
 * @param isFile whether the part of this name is a file, whatever its headers say.
 * @throws {ServiceError} INVALID_REQUEST for a malformed form or too many fields, REQUEST_TOO_LARGE for too many files.
 */
export async function readMultipart(
  chunks: AsyncIterable<Uint8Array>,
  contentType: string,
  isFile: (name: string) => boolean,
  limits: MultipartLimits,
): Promise<MultipartForm> {
  const parser = createParser(contentType, isFile, limits);
  const form: MultipartForm = { files: [], fields: Object.create(null) };
  let failure: ServiceError | undefined;
  const fail = (error: ServiceError) => {
    failure ??= error;
  };
  collectFiles(parser, form, limits, fail);
  // What Busboy declares as a text is undefined for a part without a name.
  parser.on('field', (name: string | undefined, value, nameTruncated, valueTruncated) => {
    if (name === undefined) fail(malformed('A form field has no name.'));
    else if (nameTruncated || valueTruncated || name.length > MAX_FIELD_NAME_LENGTH) {
      fail(malformed('A form field is too long.'));
    } else if (name in form.fields) fail(malformed(`The form field "${name}" is repeated.`));
    else form.fields[name] = value;
  });
  parser.on('fieldsLimit', () => fail(malformed('There are too many form fields.')));
  // Also counts empty parts and parts without a name, which are neither files nor fields.
  parser.on('partsLimit', () => fail(malformed('There are too many parts.')));
  let finished = false;
  parser.on('finish', () => {
    finished = true;
  });
  parser.on('error', () => fail(malformed('The body is not valid multipart/form-data.')));

  for await (const chunk of chunks) {
    parser.write(chunk);
    if (failure) throw failure;
  }
  parser.end();
  // Busboy has all bytes and waits for nothing, so that it is done before the next turn of the event loop; or never, which happens
  // when a long part has no usable header: nothing reads the part, and Busboy waits for that.
  await setImmediate();
  if (failure) throw failure;
  if (!finished) throw malformed('A part has no usable header.');
  return form;
}

function createParser(
  contentType: string,
  isFile: (name: string) => boolean,
  limits: MultipartLimits,
): BusboyInstance {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      isPartAFile: (name, _type, fileName) => fileName !== undefined || (name !== undefined && isFile(name)),
      limits: {
        // One more than allowed, so that an extra part is noticed.
        files: limits.files + 1,
        fileSize: limits.fileBytes,
        fields: MAX_FIELDS,
        fieldSize: MAX_FIELD_BYTES,
        parts: limits.files + 1 + MAX_FIELDS + 1,
        headerPairs: MAX_HEADERS_PER_PART,
        headerSize: MAX_HEADER_BYTES_PER_PART,
      },
    });
  } catch {
    throw malformed('The Content-Type has no usable boundary.');
  }
}

function collectFiles(
  parser: BusboyInstance,
  form: MultipartForm,
  limits: MultipartLimits,
  fail: (error: ServiceError) => void,
): void {
  let count = 0;
  parser.on('file', (name, stream, fileName: string | undefined) => {
    count++;
    if (count > limits.files) {
      fail(
        new ServiceError('REQUEST_TOO_LARGE', { detail: `There are more than ${limits.files} file parts.` }),
      );
      stream.resume();
      return;
    }
    const file: FilePart = { name, fileName: fileName || undefined, bytes: undefined };
    form.files.push(file);
    let chunks: Uint8Array[] | undefined = [];
    stream.on('data', (chunk: Uint8Array) => chunks?.push(chunk));
    stream.on('limit', () => {
      chunks = undefined;
    });
    stream.on('error', () => fail(malformed('A file part is incomplete.')));
    stream.on('end', () => {
      file.bytes = chunks && joinChunks(chunks);
    });
  });
}

function joinChunks(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    joined.set(chunk, offset);
    offset += chunk.length;
  }
  return joined;
}

function malformed(detail: string): ServiceError {
  return new ServiceError('INVALID_REQUEST', { detail });
}
