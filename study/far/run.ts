// npm run study:far tries the false accept rates that the service claims on people who did not calibrate. See docs/THRESHOLDS.md.

import { readdirSync } from 'node:fs';
import { PICTURE_FILE } from '../../src/cli/calibrate/pairs/collect.ts';
import { COMMON_OPTIONS, log, readOptions } from '../command.ts';
import { updateDocument, writeResults } from '../results.ts';
import { measureCoverage } from './coverage.ts';
import { runDoor } from './door.ts';
import { Distances, groupByPerson } from './people.ts';
import { embedPhotos } from './photos.ts';
import { renderSections } from './report.ts';
import { writeProvisional } from './write-provisional.ts';

const USAGE = `npm run study:far -- [options]
  --pack NAME           model pack (buffalo_sc_dq)
  --models FOLDER       holds the pack (../shared/models)
  --photos FOLDER       photographs called Name_0001.jpg (../shared/faces/lfw)
  --threads N           (usable cores)
  --out FOLDER          for results.json and the tables (study-out)
  --write-docs          also write the tables of docs/THRESHOLDS.md
  --write-provisional   also write the provisional figures of the recogniser to src/packs/provisional/; then npm run format`;

/** As many splits as the floor says, and enough to see the share itself. */
const SPLITS = [20, 200];

const options = readOptions(USAGE, {
  ...COMMON_OPTIONS,
  'write-provisional': { type: 'boolean', default: false },
});
// ONNX Runtime reads it when a worker thread loads it; see src/engine/inference-engine.ts.
process.env.ORT_DISABLE_TELEMETRY ??= '1';

const files = readdirSync(options.photos)
  .filter((file) => PICTURE_FILE.test(file))
  .sort();
const { photos, pack } = await embedPhotos(files, { folder: options.photos, ...options });
log(`${photos.length} photographs are embedded`);
const people = groupByPerson(photos);
const distances = new Distances();
const coverage = SPLITS.flatMap((splits) => measureCoverage(people, [0.01, 0.001], splits, distances));
log('coverage');
const door = runDoor(people, distances);
log('door');
const results = { pack: options.pack, photographs: photos.length, people: people.length, coverage, door };
const sections = renderSections(results);
const text = writeResults(options.out, results, sections);
if (options['write-docs']) updateDocument('THRESHOLDS.md', sections);
if (options['write-provisional']) writeProvisional({ photos, pack });
console.log(text);
