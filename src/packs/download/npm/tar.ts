import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { PackInvalidError } from '../../pack-errors.ts';

/*
 * Reads one file of a gzipped tar archive. A library would unpack to the disk, with links, permissions and paths that nothing
 * here needs: the content of a file is all that is taken, and no name of the archive ever becomes a path.
 * Sources: POSIX.1-2017, pax ("ustar Interchange Format", "pax Header Block"); GNU tar manual, "Basic Tar Format".
 */

const BLOCK = 512;

/** Far more than a package with three networks has. */
const MAX_UNPACKED_BYTES = 1024 ** 3;
const MAX_MEMBERS = 20_000;
/** Of a header that holds the name of the next member. */
const MAX_NAME_BYTES = 64 * 1024;

/**
 * The content of a file in a package's tarball. npm ignores the first folder of a path, whatever its name, and so does this.
 *
 * @param path of the file inside the package, with forward slashes.
 * @param bytes its expected size: a member of another size is refused before it is read.
 * @throws {PackInvalidError} when there is no such file, or the archive is no tarball, is cut, or is too large.
 */
export async function* readTarball(tarball: string, path: string, bytes: number): AsyncGenerator<Uint8Array> {
  const input = createReadStream(tarball);
  const unpacked = input.pipe(createGunzip());
  input.on('error', (error) => unpacked.destroy(error));
  const reader = new BlockReader(unpacked);
  try {
    let longName: string | undefined;
    for (let members = 0; members < MAX_MEMBERS; members++) {
      const header = await reader.take(BLOCK);
      if (header === undefined || header.every((byte) => byte === 0)) {
        throw new PackInvalidError(`It has no file ${path}.`);
      }
      const { name, size, type } = parseHeader(header);
      const padding = (BLOCK - (size % BLOCK)) % BLOCK;
      if (type === 'x' || type === 'L') {
        if (size > MAX_NAME_BYTES) throw new PackInvalidError(`It has a name of ${size} bytes.`);
        const data = await reader.takeAll(size);
        await reader.skip(padding);
        longName = (type === 'L' ? textOf(data) : paxPath(data)) ?? longName;
        continue;
      }
      const stripped = (longName ?? name).replace(/^\.\//, '').replace(/^[^/]*\//, '');
      longName = undefined;
      if (type !== '0' || stripped !== path) {
        await reader.skip(size + padding);
        continue;
      }
      if (size !== bytes) {
        throw new PackInvalidError(`${path} has ${size} bytes, expected are ${bytes}.`);
      }
      yield* reader.stream(size);
      return;
    }
    throw new PackInvalidError(`It has more than ${MAX_MEMBERS} members.`);
  } finally {
    input.destroy();
    unpacked.destroy();
  }
}

interface Header {
  name: string;
  /** Bytes of the content, which follows in whole blocks. */
  size: number;
  /** `0` for a file. */
  type: string;
}

function parseHeader(block: Uint8Array): Header {
  const field = (start: number, length: number) => textOf(block.subarray(start, start + length));
  const octal = (start: number, length: number) => Number.parseInt(field(start, length).trim() || '0', 8);
  const sum = block.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
  const size = octal(124, 12);
  if (sum !== octal(148, 8) || !Number.isSafeInteger(size) || size < 0) {
    throw new PackInvalidError('It is not a tar archive.');
  }
  const prefix = field(257, 5) === 'ustar' && block[262] === 0 ? field(345, 155) : '';
  const type = field(156, 1) || '0';
  return { name: prefix === '' ? field(0, 100) : `${prefix}/${field(0, 100)}`, size, type };
}

/** Up to the first zero byte. */
function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('utf8');
}

/** The path in a pax header, whose records are `<length> <key>=<value>\n`. */
function paxPath(data: Uint8Array): string | undefined {
  return /^\d+ path=(.*)$/m.exec(Buffer.from(data).toString('utf8'))?.[1];
}

/** Takes bytes of a stream in the portions that a format needs. */
class BlockReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);
  #unpacked = 0;

  constructor(stream: AsyncIterable<Buffer>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** The next bytes in chunks. */
  async *stream(bytes: number): AsyncGenerator<Uint8Array> {
    for (let left = bytes; left > 0; ) {
      if (this.#rest.length === 0 && !(await this.#more())) throw new PackInvalidError('It is cut off.');
      const chunk = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(chunk.length);
      left -= chunk.length;
      yield chunk;
    }
  }

  async skip(bytes: number): Promise<void> {
    for await (const _ of this.stream(bytes));
  }

  async takeAll(bytes: number): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.stream(bytes)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /** Undefined at the end of the stream. */
  async take(bytes: number): Promise<Uint8Array | undefined> {
    if (this.#rest.length === 0 && !(await this.#more())) return undefined;
    return this.takeAll(bytes);
  }

  async #more(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      if (next.done) return false;
      this.#unpacked += next.value.length;
      if (this.#unpacked > MAX_UNPACKED_BYTES) {
        throw new PackInvalidError(`It has more than ${MAX_UNPACKED_BYTES} bytes unpacked.`);
      }
      this.#rest = next.value;
    }
    return true;
  }
}
