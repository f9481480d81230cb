// npm run study:fusion measures what several photographs of a person gain, and whether intruders are found. See docs/FUSION.md.

import { readdirSync } from 'node:fs';
import { FARS } from '../../src/cli/calibrate/analysis.ts';
import { PICTURE_FILE } from '../../src/cli/calibrate/pairs/collect.ts';
import { measureFarCurve } from '../../src/cli/calibrate/statistics/far-curve.ts';
import { cosineDistance } from '../../src/cli/calibrate/statistics/scores.ts';
import { AGREEMENT_FAR, cosineAt, DEFAULT_AGREEMENT } from '../../src/similarity/agreement.ts';
import { COMMON_OPTIONS, log, readOptions } from '../command.ts';
import { embedAll } from '../quality/embed/embed-all.ts';
import { personOf } from '../quality/photos.ts';
import { updateDocument, writeResults } from '../results.ts';
import { measureGains } from './gain.ts';
import { measureIntruders } from './intruders.ts';
import { groupPeople, MIXES, type Mix, type Person } from './people.ts';
import { renderSections } from './report.ts';

const USAGE = `npm run study:fusion -- [options]
  --pack NAME       model pack (buffalo_sc_dq)
  --models FOLDER   holds the pack (../shared/models)
  --photos FOLDER   photographs called Name_0001.jpg (../shared/faces/lfw)
  --threads N       (usable cores)
  --out FOLDER      for results.json and the tables (study-out)
  --write-docs      also write the tables of docs/FUSION.md`;

/** People with fewer photographs are strangers only. */
const MIN_PHOTOGRAPHS = 3;
/** To be compared with the rate that the service takes. */
const STRICT_FAR = 0.001;

const options = readOptions(USAGE, COMMON_OPTIONS);
// ONNX Runtime reads it when a worker thread loads it; see src/engine/inference-engine.ts.
process.env.ORT_DISABLE_TELEMETRY ??= '1';

const files = readdirSync(options.photos)
  .filter((file) => PICTURE_FILE.test(file))
  .sort();
const counts = new Map<string, number>();
for (const file of files) counts.set(personOf(file), (counts.get(personOf(file)) ?? 0) + 1);
const photos = await embedAll(
  {
    files,
    degraded: new Set(files.filter((file) => (counts.get(personOf(file)) ?? 0) >= MIN_PHOTOGRAPHS)),
    folder: options.photos,
    pack: options.pack,
    models: options.models,
    threads: Number(options.threads),
  },
  (done) => {
    if (done % 50 === 0) log(`${done} of ${files.length} photographs`);
  },
);
const everybody = groupPeople(photos);
const people = everybody.filter(({ length }) => length >= MIN_PHOTOGRAPHS);
const curve = measureFarCurve(impostorsOf(everybody), everybody.length, FARS) ?? [];
const agreements = [
  { agreement: cosineAt(curve, AGREEMENT_FAR), source: `FAR ${100 * AGREEMENT_FAR} %` },
  { agreement: cosineAt(curve, STRICT_FAR), source: `FAR ${100 * STRICT_FAR} %` },
  { agreement: DEFAULT_AGREEMENT, source: 'default' },
];
log('embedded');
const [plain, ...worse] = Object.keys(MIXES) as [Mix, ...Mix[]];
// Of most strangers there are no degraded versions, which would tell them from people who have some.
const gains = [...measureGains(people, everybody, [plain]), ...measureGains(people, people, worse)];
log('gains');
const intruders = [
  ...measureIntruders(
    everybody.filter(({ length }) => length >= 2),
    everybody,
    [plain],
    agreements,
  ),
  ...measureIntruders(people, people, worse, agreements),
];
const results = { pack: options.pack, gains, intruders };
const sections = renderSections(results);
const text = writeResults(options.out, results, sections);
if (options['write-docs']) updateDocument('FUSION.md', sections);
log('done');
console.log(text);

/** The pairs of originals of different people. */
function impostorsOf(list: readonly Person[]) {
  const rows = list.map((person) => person.map(({ original }) => Float64Array.from(original.embedding)));
  return rows.flatMap((photosA, personA) =>
    rows.slice(personA + 1).flatMap((photosB, offset) =>
      photosA.flatMap((a) =>
        photosB.map((b) => ({
          distance: cosineDistance(a, b),
          same: false,
          personA,
          personB: personA + 1 + offset,
        })),
      ),
    ),
  );
}
