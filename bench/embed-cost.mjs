// What one embedding costs beside the pure ONNX Runtime time of the same inputs, in one process and on one thread,
// interleaved. Usage: node bench/embed-cost.mjs <pack folder in MODELS_DIR> <image> [rounds]
import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';
import { resolvePack } from '../dist/models/resolve.js';
import { fitSimilarity, landmarkTemplate, warpFace } from '../dist/vision/alignment.js';
import { decodePicture } from '../dist/vision/decode.js';
import { letterbox } from '../dist/vision/letterbox.js';
import { loadNetworks } from '../dist/vision/networks.js';
import { tabulateNormalisation } from '../dist/vision/normalisation.js';
import { embedFaces } from '../dist/vision/pipeline.js';

process.env.ORT_DISABLE_TELEMETRY ??= '1';
const [name = 'synthetic', file, rounds = '60'] = process.argv.slice(2);
const pack = await resolvePack({ name, modelsDir: process.env.MODELS_DIR ?? './models' });
const sizes = [128, 640];
const networks = await loadNetworks({ pack, device: 'cpu', intraOpThreads: 1, detectionSizes: sizes });

const options = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 };
const detector = await ort.InferenceSession.create(pack.detector.path, options);
const recogniser = await ort.InferenceSession.create(pack.recogniser.path, options);

// The very inputs that the pipeline makes of this image.
const image = readFileSync(file);
const wanted = { selection: 'largest', detectionThreshold: 0.5, maxFaces: 1, maxPixels: 5e7 };
const picture = await decodePicture(new Uint8Array(image), wanted.maxPixels);
const { faces } = await embedFaces(new Uint8Array(image), wanted, networks);
const tensor = (side, fill) => {
  const data = new Float32Array(3 * side * side);
  fill(data);
  return new ort.Tensor('float32', data, [1, 3, side, side]);
};
const detectorTable = tabulateNormalisation(pack.detector.preprocessing);
const detectorInputs = sizes.map((side) =>
  tensor(side, (data) => letterbox(picture, side, detectorTable, data)),
);
const side = pack.recogniser.inputSize;
const transform = fitSimilarity(faces[0].landmarks, landmarkTemplate(side));
const recogniserTable = tabulateNormalisation(pack.recogniser.preprocessing);
const face = tensor(side, (data) => warpFace(picture, transform, side, recogniserTable, data));

async function pure() {
  for (const input of detectorInputs) await detector.run({ [detector.inputNames[0]]: input });
  await recogniser.run({ [recogniser.inputNames[0]]: face });
}
const stages = {};
async function whole() {
  const { timings } = await embedFaces(new Uint8Array(image), wanted, networks);
  for (const [stage, ms] of Object.entries(timings)) stages[stage] = [...(stages[stage] ?? []), ms];
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const times = { pure: [], whole: [] };
for (let round = 0; round < Number(rounds) + 5; round++) {
  for (const [key, run] of Object.entries({ pure, whole })) {
    const started = performance.now();
    await run();
    if (round >= 5) times[key].push(performance.now() - started);
  }
}
const ratios = times.whole.map((ms, i) => ms / times.pure[i]);
console.log(
  `one embed: ${median(times.whole).toFixed(1)} ms; pure ONNX Runtime: ${median(times.pure).toFixed(1)} ms`,
);
console.log(`ratio, pair by pair: median ${median(ratios).toFixed(3)}`);
for (const [stage, values] of Object.entries(stages))
  console.log(`  ${stage}: ${median(values).toFixed(2)} ms`);
