import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildIfNeeded } from '../../tools/build.mjs';

// npm run study:quality: how good the quality score is, and the weights that it should have. See docs/QUALITY.md.

// Before ONNX Runtime is loaded; see src/engine/inference-engine.ts.
process.env.ORT_DISABLE_TELEMETRY ??= '1';

const USAGE = `npm run study:quality -- [options]
  --pack NAME       model pack (buffalo_sc_dq)
  --models FOLDER   holds the pack (../shared/models)
  --photos FOLDER   photographs and pairs.csv: image_a,image_b,same_person (../shared/faces/lfw)
  --threads N       (usable cores)
  --out FOLDER      for results.json, the tables and the curves (study-out)
  --write-docs      also write the tables and curves of docs/QUALITY.md`;

const options = readOptions();
if (options.help) {
  console.log(USAGE);
  process.exit(0);
}
buildIfNeeded();

const { median } = await import('../../bench/statistics.ts');
const { readPairs } = await import('./comparisons.ts');
const { embedAll } = await import('./embed-all.ts');
const { loadScoring } = await import('./pipeline.ts');
const { renderCurves, renderSections, writeDocs } = await import('./report.ts');
const { runStudy } = await import('./study.ts');

const started = performance.now();
const log = (text) => console.error(`${Math.round((performance.now() - started) / 1000)} s  ${text}`);

const pairs = readPairs(join(options.photos, 'pairs.csv'));
const files = [...new Set(pairs.flatMap(({ a, b }) => [a, b]))];
const degraded = new Set(pairs.filter(({ same }) => same).flatMap(({ a, b }) => [a, b]));
const photos = await embedAll(
  {
    files,
    degraded,
    folder: options.photos,
    pack: options.pack,
    models: options.models,
    threads: Number(options.threads),
  },
  (done) => done % 50 === 0 && log(`${done} of ${files.length} photographs`),
);
const results = {
  pack: options.pack,
  cost: costOf(photos),
  ...runStudy({ pairs, photos, scoring: await loadScoring() }, log),
};

const sections = renderSections(results);
mkdirSync(options.out, { recursive: true });
writeFileSync(join(options.out, 'results.json'), `${JSON.stringify(results, undefined, 2)}\n`);
const text = Object.entries(sections).map(([name, body]) => `## ${name}\n\n${body}\n`);
writeFileSync(join(options.out, 'tables.md'), text.join('\n'));
for (const [name, svg] of Object.entries(renderCurves(results))) {
  writeFileSync(join(options.out, name), svg);
}
if (options['write-docs']) writeDocs(results);
log('done');
console.log(text.join('\n'));

/** Of measuring the quality, in milliseconds, beside the whole of decoding, detecting, aligning and recognising. */
function costOf(all) {
  const timings = all.flatMap((photo) => photo.timings ?? []);
  const wholes = timings.map((stages) => Object.values(stages).reduce((sum, ms) => sum + ms, 0));
  return {
    quality: median(timings.map(({ quality }) => quality)),
    whole: median(wholes),
    share: median(timings.map(({ quality }, i) => quality / wholes[i])),
  };
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        pack: { type: 'string', default: 'buffalo_sc_dq' },
        models: { type: 'string', default: '../shared/models' },
        photos: { type: 'string', default: '../shared/faces/lfw' },
        threads: { type: 'string', default: String(availableParallelism()) },
        out: { type: 'string', default: 'study-out' },
        'write-docs': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
}
