import { createHash } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { discard, writing } from '../install/storage.ts';

const recordSchema = z.object({
  /** Hash of the source's URL: the URL itself may hold a password or a token. */
  source: z.string(),
  /** What the source called this version of the archive: its strong ETag, else its Last-Modified. */
  validator: z.string().optional(),
  /** Bytes of the whole archive, where the source said so. */
  total: z.int().positive().optional(),
});

type PartialRecord = z.infer<typeof recordSchema>;

/** What is known of a started download when it goes on. */
export interface PartialState {
  /** Bytes on disk. */
  bytes: number;
  validator?: string | undefined;
  total?: number | undefined;
}

/**
 * An archive that is being downloaded, with a record beside it from which another process can go on. Only the holder
 * of the pack's lock touches them.
 */
export class PartialArchive {
  readonly path: string;
  readonly #recordPath: string;

  constructor(path: string) {
    this.path = path;
    this.#recordPath = `${path}.json`;
  }

  /** What is there of an archive from this source: zero bytes when nothing is, or when it is from another source. */
  async stateFor(source: URL): Promise<PartialState> {
    const record = await this.#readRecord();
    if (record?.source !== keyOf(source)) return { bytes: 0 };
    const bytes = await stat(this.path).then(
      ({ size }) => size,
      () => 0,
    );
    return { bytes, validator: record.validator, total: record.total };
  }

  /** Begins from zero. The record is written while the archive is empty, so that the two never disagree. */
  async begin(
    source: URL,
    about: { validator?: string | undefined; total?: number | undefined },
  ): Promise<void> {
    const record: PartialRecord = { source: keyOf(source), ...about };
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
