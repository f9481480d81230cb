import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { DEGRADATIONS, decode, randomOf } from './degradations.ts';
import { openPipeline } from './pipeline.ts';

// A photograph → all its versions, measured and embedded.
const embed = await openPipeline(workerData);

parentPort.on('message', async (job) => {
  // Ends by itself: to terminate a thread inside ONNX Runtime would abort the process.
  if (job === 'close') return parentPort.close();
  const { index, file, path, isDegraded } = job;
  const bytes = readFileSync(path);
  const original = await embed(bytes);
  const versions = [describe(original, { kind: 'none', step: 0 })];
  if (isDegraded && original !== undefined) {
    const picture = { ...(await decode(bytes)), face: original.face.box };
    for (const [kind, { strengths, apply }] of Object.entries(DEGRADATIONS)) {
      for (const [step, strength] of strengths.entries()) {
        const degraded = await apply(picture, strength, randomOf(`${file} ${kind} ${step}`));
        versions.push(describe(await embed(degraded), { kind, step: step + 1 }));
      }
    }
  }
  parentPort.postMessage({ index, photo: { file, versions, timings: original?.timings } });
});

function describe(found, version) {
  if (found === undefined) return { ...version, found: false };
  const { embedding, quality, score } = found.face;
  return { ...version, found: true, embedding, quality, detectionScore: score };
}
