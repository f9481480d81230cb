import { createHash } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { rewriteDetector, rewriteGraph } from '../../onnx/rewrite/rewrite.ts';
import { hashFile } from '../../packs/file-hash.ts';
import type { ModelFile } from '../../packs/pack.ts';
import { openSession } from '../session.ts';
import { DESCRIPTION_FILE, describePrepared, GRAPH_FILE, WEIGHTS_FILE } from './prepared-graph.ts';

export interface PrepareJob {
  file: Pick<ModelFile, 'path' | 'sha256'>;
  network: 'detector' | 'recogniser';
  rewrites: boolean;
  name: string;
  /** An empty folder. */
  target: string;
}

/**
 * Verifies and rewrites a graph, lets ONNX Runtime optimise it, and writes the result. It takes several times the weights in
 * memory, most of which a process gives back only when it ends: it is run in one of its own.
 */
export async function prepareGraph({ file, network, rewrites, name, target }: PrepareJob): Promise<void> {
  const original = await readFile(file.path);
  const sha256 = createHash('sha256').update(original).digest('hex');
  if (sha256 !== file.sha256) throw new Error(`${basename(file.path)} changed since it was verified.`);
  const rewrite = network === 'detector' ? rewriteDetector : rewriteGraph;
  const { bytes, ...rewritten } = rewrites ? rewrite(original) : { bytes: original, applied: [] };
  const optimiseTo = { graph: join(target, GRAPH_FILE), weights: WEIGHTS_FILE };
  const session = await openSession(bytes, { device: 'cpu', threads: 1, optimiseTo });
  await session.release();
  const files = [{ name: GRAPH_FILE, ...(await hashFile(join(target, GRAPH_FILE))) }];
  const weights = join(target, WEIGHTS_FILE);
  const hasWeights = await stat(weights).then(
    () => true,
    () => false,
  );
  if (hasWeights) files.push({ name: WEIGHTS_FILE, ...(await hashFile(weights)) });
  await writeFile(join(target, DESCRIPTION_FILE), describePrepared(name, files, rewritten));
}
