import { createHash } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { discard, writing } from '../install/storage.ts';

const recordSchema = z.object({
  /** Hash of the source's URL, because the URL may contain a password or a token. */
  source: z.string(),
  /** Identifies the version of the content: its strong ETag, or else its Last-Modified. */
  validator: z.string().optional(),
  /** Bytes of the whole, if the source stated them. */
  total: z.int().positive().optional(),
});

type PartialRecord = z.infer<typeof recordSchema>;

/** The state of a download that can be continued. */
export interface PartialState {
  /** Bytes on disk. */
  bytes: number;
  validator?: string | undefined;
  total?: number | undefined;
}

/**
 * An incomplete archive or file, with a record in a second file from which another process can continue the download. Only the
 * holder of the pack's lock may use them.
 */
export class PartialDownload {
  readonly path: string;
  readonly #recordPath: string;

  constructor(path: string) {
    this.path = path;
    this.#recordPath = `${path}.json`;
  }

  /** The state of a download from this source: zero bytes if there is none. */
  async stateFor(source: URL): Promise<PartialState> {
    const record = await this.#readRecord();
    if (record?.source !== keyOf(source)) return { bytes: 0 };
    const bytes = await stat(this.path).then(
      ({ size }) => size,
      () => 0,
    );
    return { bytes, validator: record.validator, total: record.total };
  }

  /** Starts from zero. The record is written while the file is empty, so that they always agree. */
  async begin(
    source: URL,
    properties: { validator?: string | undefined; total?: number | undefined },
  ): Promise<void> {
    const record: PartialRecord = { source: keyOf(source), ...properties };
    await writing(this.path, async () => {
      await writeFile(this.path, '');
      await writeFile(this.#recordPath, JSON.stringify(record));
    });
  }

  async discard(): Promise<void> {
    await discard(this.path, this.#recordPath);
  }

  async #readRecord(): Promise<PartialRecord | undefined> {
    try {
      return recordSchema.parse(JSON.parse(await readFile(this.#recordPath, 'utf8')));
    } catch {
      return undefined;
    }
  }
}

function keyOf(source: URL): string {
  return createHash('sha256').update(source.href).digest('hex');
}
