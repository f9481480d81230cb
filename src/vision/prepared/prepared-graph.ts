import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { DeferredHeads } from '../../onnx/rewrite/deferred-heads.ts';
import { type AppliedPass, REWRITES } from '../../onnx/rewrite/rewrite.ts';
import { hashFile } from '../../packs/file-hash.ts';

/*
 * A prepared graph is a folder: the graph as ONNX Runtime has optimised it for this processor, and its weights in a file of
 * their own, in the layout that the processor computes with. ONNX Runtime maps that file, so that all sessions of all workers and
 * processes share its pages, and a session opens in milliseconds. There is nothing in it but weights.
 */

export const GRAPH_FILE = 'graph.onnx';
/** Absent if the graph has no large weights. */
export const WEIGHTS_FILE = 'weights.bin';
export const DESCRIPTION_FILE = 'prepared.json';

export interface PreparedGraph {
  /** Absolute path of the graph. */
  path: string;
  /** The rewrites that it has. */
  applied: AppliedPass[];
  heads?: DeferredHeads | undefined;
}

const numbers = z.base64().transform((text) => {
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  return new Float32Array(bytes.buffer, 0, Math.floor(bytes.length / Float32Array.BYTES_PER_ELEMENT));
});
const convolution = z.object({ weights: numbers, bias: numbers });
const descriptionSchema = z.object({
  name: z.string(),
  files: z.array(
    z.object({
      name: z.enum([GRAPH_FILE, WEIGHTS_FILE]),
      bytes: z.int(),
      sha256: z.string(),
    }),
  ),
  applied: z.array(z.object({ pass: z.enum(REWRITES), count: z.int() })),
  heads: z
    .object({
      threshold: z.string(),
      levels: z.array(
        z.object({
          features: z.string(),
          kept: z.string(),
          channels: z.int(),
          boxes: convolution,
          landmarks: convolution,
        }),
      ),
    })
    .optional(),
});

/** What {@link DESCRIPTION_FILE} says: the names and hashes of the files, and what the rewrites leave to the caller. */
export function describePrepared(
  name: string,
  files: { name: string; bytes: number; sha256: string }[],
  { applied, heads }: Pick<PreparedGraph, 'applied' | 'heads'>,
): string {
  const description = { name, files, applied, heads };
  return JSON.stringify(description, (_key, value) =>
    value instanceof Float32Array
      ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
      : value,
  );
}

/**
 * Reads a prepared graph, and checks its files by their hashes, which also brings them into the page cache.
 *
 * @param name see {@link preparedName}; one that was made for something else has another.
 * @returns undefined if there is none, or it is not whole.
 */
export async function readPrepared(
  folder: string,
  name: string,
  signal?: AbortSignal,
): Promise<PreparedGraph | undefined> {
  const path = join(folder, name);
  try {
    const text = await readFile(join(path, DESCRIPTION_FILE), 'utf8');
    const description = descriptionSchema.parse(JSON.parse(text));
    if (description.name !== name || description.files[0]?.name !== GRAPH_FILE) return undefined;
    // Weights that the description does not have would not be checked.
    const isComplete = description.files.length > 1 || !existsSync(join(path, WEIGHTS_FILE));
    if (!isComplete) return undefined;
    for (const file of description.files) {
      const { bytes, sha256 } = await hashFile(join(path, file.name), signal);
      if (bytes !== file.bytes || sha256 !== file.sha256) return undefined;
    }
    const { applied, heads } = description;
    return { path: join(path, GRAPH_FILE), applied, heads: heads as DeferredHeads | undefined };
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}

const require = createRequire(import.meta.url);

/**
 * Names a prepared graph by all that decides what is in it: the file of the pack, the rewrites, ONNX Runtime's version and the
 * processor.
 *
 * @param sha256 of the file of the pack.
 * @param rewrites whether the graph is rewritten.
 */
export function preparedName(sha256: string, rewrites: boolean): string {
  makers ??= describeMakers();
  const { rewritten, runtime } = makers;
  return [sha256.slice(0, 16), rewrites ? rewritten : 'plain', runtime].join('-');
}

let makers: ReturnType<typeof describeMakers> | undefined;

/** What the code, the runtime and the processor contribute to a name. It reads some thirty files. */
function describeMakers() {
  const { version } = require('onnxruntime-node/package.json') as { version: string };
  return { rewritten: hashOfRewrites(), runtime: `ort${version}-${hashOf(processor()).slice(0, 12)}` };
}

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');

/** Of the code that rewrites, so that a change of it cannot be forgotten. */
function hashOfRewrites(): string {
  const folder = new URL('../../onnx/', import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.[jt]s$/.test(file),
  );
  return hashOf(
    files
      .sort()
      .map((file) => readFileSync(new URL(file, folder), 'utf8'))
      .join('\0'),
  ).slice(0, 12);
}

/** What decides the layout of weights: the architecture, the processor and its instructions. */
function processor(): string {
  const own = [process.platform, process.arch, cpus()[0]?.model ?? ''];
  try {
    const first = readFileSync('/proc/cpuinfo', 'utf8').split('\n\n')[0] ?? '';
    const lines = first
      .split('\n')
      .filter((line) => /^(flags|features|cpu (implementer|part))\s*:/i.test(line));
    return [...own, ...lines].join('\n');
  } catch {
    return own.join('\n');
  }
}
