import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rewriteDetector, rewriteGraph } from '../../onnx/rewrite/rewrite.ts';
import { hashFile, readVerified } from '../../packs/file-hash.ts';
import { discard } from '../../packs/install/storage.ts';
import type { ModelFile } from '../../packs/pack.ts';
import { collectGarbage } from '../../threads/garbage.ts';
import { openSession } from '../session.ts';
import { DESCRIPTION_FILE, describePrepared, GRAPH_FILE, WEIGHTS_FILE } from './prepared-graph.ts';

export interface PrepareJob {
  file: Pick<ModelFile, 'path' | 'sha256'>;
  network: 'detector' | 'landmarks' | 'recogniser';
  rewrites: boolean;
  name: string;
  /** An empty folder. */
  target: string;
}

/**
 * Verifies and rewrites a graph, lets ONNX Runtime optimise it, and writes the result. It takes several times the weights in
 * memory, most of which a process gives back only when it ends: it is run in one of its own.
 */
export async function prepareGraph(job: PrepareJob): Promise<void> {
  const { name, target } = job;
  const { path, ...rewritten } = await writeRewritten(job);
  // Nothing of the file's bytes is left when ONNX Runtime makes its copies.
  collectGarbage();
  const optimiseTo = { graph: join(target, GRAPH_FILE), weights: WEIGHTS_FILE };
  const session = await openSession(path, { device: 'cpu', threads: 1, optimiseTo });
  await session.release();
  await discard(join(target, REWRITTEN_FILE));
  const files = [{ name: GRAPH_FILE, ...(await hashFile(join(target, GRAPH_FILE))) }];
  const weights = join(target, WEIGHTS_FILE);
  const hasWeights = await stat(weights).then(
    () => true,
    () => false,
  );
  if (hasWeights) files.push({ name: WEIGHTS_FILE, ...(await hashFile(weights)) });
  await writeFile(join(target, DESCRIPTION_FILE), describePrepared(name, files, rewritten));
}

/** The graph that is optimised, while it is. */
const REWRITTEN_FILE = 'rewritten.onnx';

async function writeRewritten({ file, network, rewrites, target }: PrepareJob) {
  const original = await readVerified(file);
  const rewrite = network === 'detector' ? rewriteDetector : rewriteGraph;
  const { bytes, applied, heads } = rewrites ? rewrite(original) : { bytes: original, applied: [] };
  const path = join(target, REWRITTEN_FILE);
  await writeFile(path, bytes);
  return { path, applied, heads };
}
