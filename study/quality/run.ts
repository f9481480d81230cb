// npm run study:quality measures how good the quality score is, and fits its weights. See docs/QUALITY.md.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { median } from '../../bench/statistics.ts';
import { COMMON_OPTIONS, log, readOptions } from '../command.ts';
import { writeResults } from '../results.ts';
import { readPairs } from './comparisons.ts';
import { embedAll } from './embed/embed-all.ts';
import { judgeReturned } from './embed/returned.ts';
import type { Photo } from './photos.ts';
import { renderCurves, renderSections, writeDocs } from './report.ts';
import { runStudy } from './study.ts';

const USAGE = `npm run study:quality -- [options]
  --pack NAME       model pack (buffalo_sc_dq)
  --models FOLDER   holds the pack (../shared/models)
  --photos FOLDER   photographs and pairs.csv: image_a,image_b,same_person (../shared/faces/lfw)
  --threads N       (usable cores)
  --out FOLDER      for results.json, the tables and the curves (study-out)
  --write-docs      also write the tables and curves of docs/QUALITY.md`;

const options = readOptions(USAGE, COMMON_OPTIONS);
// ONNX Runtime reads it when a worker thread loads it; see src/engine/inference-engine.ts.
process.env.ORT_DISABLE_TELEMETRY ??= '1';

const pairs = readPairs(join(options.photos, 'pairs.csv'));
const filesOf = (list: typeof pairs) => [...new Set(list.flatMap(({ a, b }) => [a, b]))];
const files = filesOf(pairs);
const photos = await embedAll(
  {
    files,
    degraded: new Set(filesOf(pairs.filter(({ samePerson }) => samePerson))),
    folder: options.photos,
    pack: options.pack,
    models: options.models,
    threads: Number(options.threads),
  },
  (done) => {
    if (done % 50 === 0) log(`${done} of ${files.length} photographs`);
  },
);
const results = {
  pack: options.pack,
  cost: costOf(photos),
  returned: judgeReturned(photos),
  ...runStudy(pairs, photos, log),
};

const text = writeResults(options.out, results, renderSections(results));
for (const [name, svg] of Object.entries(renderCurves(results))) writeFileSync(join(options.out, name), svg);
if (options['write-docs']) writeDocs(results);
log('done');
console.log(text);

/** Median milliseconds of measuring the quality, and of the whole pipeline. */
function costOf(list: readonly Photo[]): { quality: number; whole: number; share: number } {
  const costs = list.flatMap(({ timings }) => {
    if (timings === undefined) return [];
    const whole = Object.values(timings).reduce((sum, ms) => sum + ms, 0);
    return [{ quality: timings.quality, whole, share: timings.quality / whole }];
  });
  const medianOf = (key: 'quality' | 'whole' | 'share') =>
    median(costs.map((cost) => cost[key])) ?? Number.NaN;
  return { quality: medianOf('quality'), whole: medianOf('whole'), share: medianOf('share') };
}
