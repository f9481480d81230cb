// npm run study:protection attacks protected embeddings. See docs/PROTECTION.md.

import { join } from 'node:path';
import { COMMON_OPTIONS, log, readOptions } from '../command.ts';
import { readPairs } from '../quality/comparisons.ts';
import { writeResults } from '../results.ts';
import { embedPhotos } from './embed-photos.ts';
import { measureOffset } from './exactness.ts';
import { renderSections, writeDocs } from './report.ts';
import { runStudy } from './study.ts';

const USAGE = `npm run study:protection -- [options]
  --pack NAME       model pack (buffalo_sc_dq)
  --models FOLDER   holds the pack (../shared/models)
  --photos FOLDER   photographs and pairs.csv: image_a,image_b,same_person (../shared/faces/lfw)
  --out FOLDER      for results.json and the tables (study-out)
  --write-docs      also write the tables of docs/PROTECTION.md`;

const { threads: _, ...SHARED_OPTIONS } = COMMON_OPTIONS;
const options = readOptions(USAGE, SHARED_OPTIONS);
process.env.ORT_DISABLE_TELEMETRY ??= '1';

const pairs = readPairs(join(options.photos, 'pairs.csv'));
const { photos, cost } = await embedPhotos(pairs, options, log);
log('attacking');
const results = { pack: options.pack, cost, exactness: measureOffset(photos), ...runStudy(photos, log) };

const text = writeResults(options.out, results, renderSections(results));
if (options['write-docs']) writeDocs(results);
log('done');
console.log(text);
