import { fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PostRequest } from './client.ts';
import type { ClosedLoop, LoopResult } from './closed-loop.ts';
import type { OpenLoop, OpenLoopResult } from './open-loop.ts';

/** Where a prepared set of requests is sent. */
export interface Target {
  address: string;
  path: string;
  set: string;
}

export type Command =
  | { kind: 'prepare'; set: string; files: { headers: Record<string, string>; bodyFile: string }[] }
  | ({ kind: 'closed' } & Target & ClosedLoop)
  | ({ kind: 'open' } & Target & OpenLoop);

/** The answer to the command with this id. */
export interface Reply {
  id: number;
  result?: unknown;
  error?: string;
}

interface Waiting {
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
}

/** Starts the process of the load generator and sends it commands. */
export class LoadGenerator {
  readonly #child = fork(fileURLToPath(new URL('./generator-process.js', import.meta.url)));
  readonly #folder = mkdtempSync(join(tmpdir(), 'bench-'));
  readonly #waiting = new Map<number, Waiting>();
  readonly #sets = new Map<string, readonly PostRequest[]>();
  #lastId = 0;
  #lastFile = 0;

  constructor() {
    this.#child.on('message', ({ id, result, error }: Reply) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(new Error(`The load generator failed: ${error}`));
    });
    this.#child.on('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('The load generator ended.'));
    });
  }

  /** Hands over requests that are sent in turn. Bodies go through files: messages of this size are slow. */
  async prepare(set: string, requests: readonly PostRequest[]): Promise<void> {
    const files = requests.map(({ headers, body }) => {
      const bodyFile = join(this.#folder, String(this.#lastFile++));
      writeFileSync(bodyFile, body);
      return { headers, bodyFile };
    });
    this.#sets.set(set, requests);
    await this.#execute({ kind: 'prepare', set, files });
    for (const { bodyFile } of files) rmSync(bodyFile);
  }

  /** The requests of a prepared set; undefined when there is no such set. */
  requestsOf(set: string): readonly PostRequest[] | undefined {
    return this.#sets.get(set);
  }

  closedLoop(load: Target & ClosedLoop): Promise<LoopResult> {
    return this.#execute({ kind: 'closed', ...load }) as Promise<LoopResult>;
  }

  openLoop(load: Target & OpenLoop): Promise<OpenLoopResult> {
    return this.#execute({ kind: 'open', ...load }) as Promise<OpenLoopResult>;
  }

  close(): void {
    this.#child.disconnect();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #execute(command: Command): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, command });
    });
  }
}
