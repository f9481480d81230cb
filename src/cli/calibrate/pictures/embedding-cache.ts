import { chmodSync, closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';

const OWNER_ONLY = 0o600;

/** A face as the service answers it: the embedding in base64, the quality if the service gives one. */
export interface CachedFace {
  embedding: string;
  detection_score: number;
  quality?: number | undefined;
}

interface Line {
  sha256: string;
  recipe: string;
  face: CachedFace;
}

/**
 * The embeddings so far, so that an interrupted measurement can be resumed: a JSON line for each picture, with the SHA-256
 * of its file and the recipe, which names all that decides the embedding. Embeddings are biometric data: only the owner
 * may read the file, and it is removed when the report is written.
 */
export class EmbeddingCache {
  readonly #path: string;
  readonly #recipe: string;
  readonly #file: number;
  readonly #known = new Map<string, CachedFace>();

  /** @param recipe lines of another one are ignored. */
  constructor(path: string, recipe: string) {
    this.#path = path;
    this.#recipe = recipe;
    for (const text of readLines(path)) {
      const line = parseLine(text);
      if (line?.recipe === recipe) this.#known.set(line.sha256, line.face);
    }
    this.#file = openSync(path, 'a', OWNER_ONLY);
    // An existing file keeps its mode.
    chmodSync(path, OWNER_ONLY);
    // The previous run may have been killed within a line.
    writeSync(this.#file, '\n');
  }

  get(sha256: string): CachedFace | undefined {
    return this.#known.get(sha256);
  }

  /** Writes the line at once, so that it survives a crash. */
  add(sha256: string, face: CachedFace): void {
    const line: Line = { sha256, recipe: this.#recipe, face };
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
  }

  close(): void {
    closeSync(this.#file);
  }

  remove(): void {
    this.close();
    rmSync(this.#path);
  }
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Undefined for a line that is empty or incomplete. */
function parseLine(text: string): Line | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
