import { fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The benchmark's end of the load generator's process. */
export class LoadGenerator {
  #child = fork(fileURLToPath(new URL('./generator.ts', import.meta.url)));
  #folder = mkdtempSync(join(tmpdir(), 'bench-'));
  #waiting = new Map();
  #sets = new Map();
  #lastId = 0;
  #lastFile = 0;

  constructor() {
    this.#child.on('message', ({ id, result, error }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) resolve(result);
      else reject(new Error(`The load generator failed: ${error}`));
    });
    this.#child.on('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('The load generator ended.'));
    });
  }

  /** @param requests [{headers, body}], sent by turns. */
  async prepare(set, requests) {
    const files = requests.map(({ headers, body }) => {
      const bodyFile = join(this.#folder, String(this.#lastFile++));
      writeFileSync(bodyFile, body);
      return { headers, bodyFile };
    });
    this.#sets.set(set, requests);
    await this.#ask({ kind: 'prepare', set, requests: files });
    for (const { bodyFile } of files) rmSync(bodyFile);
  }

  has(set) {
    return this.#sets.has(set);
  }

  /** What was prepared, to send one of them oneself. */
  requestsOf(set) {
    return this.#sets.get(set);
  }

  /** @param load {address, path, set, connections, seconds, maxRequests} */
  closedLoop(load) {
    return this.#ask({ kind: 'closed', ...load });
  }

  /** @param load {address, path, set, rate, seconds} */
  openLoop(load) {
    return this.#ask({ kind: 'open', ...load });
  }

  close() {
    this.#child.disconnect();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #ask(message) {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, ...message });
    });
  }
}
