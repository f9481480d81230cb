import { readFile } from 'node:fs/promises';
import type { Device } from '../../../src/config/devices.ts';
import { resolvePack } from '../../../src/packs/resolve.ts';
import { loadNetworks, type Networks } from '../../../src/vision/networks.ts';
import { type EmbedResult, embedFaces } from '../../../src/vision/pipeline.ts';
import { ALL_FACES } from '../../support/engine/embed-options.ts';

/*
 * A program that embeds photographs on two devices. Its arguments are a job as JSON; it writes a DeviceComparison. A program
 * of its own, as the dynamic linker reads LD_LIBRARY_PATH only at the start of a process.
 */

export interface CompareJob {
  devices: Device[];
  pack: string;
  modelsDir: string;
  detectionSizes: number[];
  photographs: string[];
}

/** What one device gave. Embeddings are lists of numbers. */
export interface DeviceAnswers {
  rewrites: Networks['rewrites'];
  photographs: { score: number; box: number[]; embedding: number[] }[][];
}

const job: CompareJob = JSON.parse(process.argv[2] ?? '');
const pack = await resolvePack({ name: job.pack, modelsDir: job.modelsDir });
const answers: DeviceAnswers[] = [];
for (const device of job.devices) {
  const networks = await loadNetworks({
    pack,
    device,
    intraOpThreads: 1,
    loneRequestThreads: 1,
    detectionSizes: job.detectionSizes,
    rewrites: true,
  });
  const photographs = [];
  for (const path of job.photographs) {
    photographs.push(facesOf(await embedFaces(new Uint8Array(await readFile(path)), ALL_FACES, networks)));
  }
  answers.push({ rewrites: networks.rewrites, photographs });
}
process.stdout.write(JSON.stringify(answers));

function facesOf({ faces }: EmbedResult): DeviceAnswers['photographs'][number] {
  return faces.map(({ score, box: { left, top, right, bottom }, embedding }) => ({
    score,
    box: [left, top, right, bottom],
    embedding: [...embedding],
  }));
}
