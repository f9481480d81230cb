// A worker thread that embeds photographs and their degraded versions.

import { readFileSync } from 'node:fs';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { Photo, Version, VersionName } from '../photos.ts';
import { randomOf } from '../random.ts';
import { DEGRADATION_KINDS, DEGRADATIONS, decode } from './degradations.ts';
import { type LargestFace, openPipeline, type PackLocation } from './pipeline.ts';

export interface EmbedJob {
  /** Name of the file in the folder, and its path. */
  file: string;
  path: string;
  degrade: boolean;
}

const port = parentPort as MessagePort;
const { embed, returnFaces } = await openPipeline(workerData as PackLocation);

port.on('message', async (job: EmbedJob | 'close') => {
  // The thread ends by itself, because terminating it inside ONNX Runtime would abort the process.
  if (job === 'close') port.close();
  else port.postMessage(await embedPhoto(job));
});

async function embedPhoto({ file, path, degrade }: EmbedJob): Promise<Photo> {
  const bytes = readFileSync(path);
  const original = await embed(bytes);
  const versions = [describe({ kind: 'original', level: 0 }, original)];
  if (degrade && original !== undefined) {
    const picture = { ...(await decode(bytes)), face: original.face.box };
    for (const kind of DEGRADATION_KINDS) {
      const { levels, apply } = DEGRADATIONS[kind];
      for (const [i, parameter] of levels.entries()) {
        const degraded = await apply(picture, parameter, randomOf(`${file} ${kind} ${i}`));
        versions.push(describe({ kind, level: i + 1 }, await embed(degraded)));
      }
    }
  }
  const returned = original && (await returnFaces(bytes));
  return { file, versions, timings: original?.timings, returned };
}

function describe(version: VersionName, result: LargestFace | undefined): Version {
  if (result === undefined) return { ...version, found: false };
  const { embedding, quality, score } = result.face;
  if (quality === undefined) throw new Error('The quality of the face was not measured.');
  return { ...version, found: true, embedding, quality, detectionScore: score };
}
