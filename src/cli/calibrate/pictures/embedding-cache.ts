import { chmodSync, closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';

const OWNER_ONLY = 0o600;

/**
 * What was embedded so far, so that a measurement that was cut short goes on from there: a JSON line for each picture,
 * by the SHA-256 of its file and by all that decides what the service makes of it. It holds embeddings, which are
 * biometric data: only its owner may read it, and it is removed when the report is written.
 */
export class EmbeddingCache {
  #path;
  #recipe;
  #file;
  #known = new Map();

  /** @param recipe names the embedding space and how the face is found. Lines of another one are not used. */
  constructor(path, recipe) {
    this.#path = path;
    this.#recipe = recipe;
    for (const line of readLines(path)) {
      const entry = parseLine(line);
      if (entry?.recipe === recipe) this.#known.set(entry.sha256, entry.face);
    }
    this.#file = openSync(path, 'a', OWNER_ONLY);
    // A file that was there keeps its mode.
    chmodSync(path, OWNER_ONLY);
    // A line that a kill cut off must not swallow the next one.
    writeSync(this.#file, '\n');
  }

  get(sha256) {
    return this.#known.get(sha256);
  }

  /** Written at once: whatever ends the process later, it is kept. */
  add(sha256, face) {
    writeSync(this.#file, `${JSON.stringify({ sha256, recipe: this.#recipe, face })}\n`);
  }

  close() {
    closeSync(this.#file);
  }

  remove() {
    this.close();
    rmSync(this.#path);
  }
}

function readLines(path) {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

/** Undefined for a line that is empty, or was cut off. */
function parseLine(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
