// npm run study:detection measures what is found in turned, large and small pictures. See docs/DETECTION.md.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Networks } from '../../src/vision/networks.ts';
import { COMMON_OPTIONS, log, readOptions } from '../command.ts';
import { measureCost } from './cost.ts';
import { type FamilyColumn, measureFamilies } from './families.ts';
import { measureAll } from './measure-all.ts';
import { openNetworks } from './open.ts';
import { listPhotos, type Photo, readPhotos } from './photos.ts';
import { renderFamilies, renderOrientation, renderSizes, writeDocs } from './report.ts';
import { measureSizeCost, measureSizes, SIZES, type Size } from './sizes.ts';

const USAGE = `npm run study:detection -- [options]
  --part NAME       orientation, sizes or families; the first two by default
  --pack NAME       model pack (buffalo_sc_dq)
  --beside NAME     pack whose detector families compares with that of the first (open_s)
  --models FOLDER   holds the pack (../shared/models)
  --photos FOLDER   upright photographs of one person each (../shared/faces/lfw)
  --step N          every n-th photograph (1)
  --threads N       (usable cores)
  --out FOLDER      for the results and the tables (study-out)
  --write-docs      also write the tables of docs/DETECTION.md`;

/** Photographs that the study of sizes uses, every n-th of the folder. */
const SIZES_STEP = 13;
const SIZES_PHOTOS = 40;

/** Values of DETECTION_SIZES at which families are compared. */
const FAMILY_SIZES = [[640], [128, 640], [256, 512]] as const;

const options = readOptions(USAGE, {
  ...COMMON_OPTIONS,
  part: { type: 'string' },
  beside: { type: 'string', default: 'open_s' },
  step: { type: 'string', default: '1' },
});
// ONNX Runtime reads it when it is loaded; see src/engine/inference-engine.ts.
process.env.ORT_DISABLE_TELEMETRY ??= '1';

const location = { pack: options.pack, models: options.models };
const networks = await openNetworks(location);
mkdirSync(options.out, { recursive: true });
const parts = options.part ? [options.part] : ['orientation', 'sizes'];
if (parts.includes('orientation')) save('orientation', ...(await studyOrientation()));
if (parts.includes('sizes')) save('sizes', ...(await studySizes()));
if (parts.includes('families')) save('families', ...(await studyFamilies()));
log('done');

async function studyOrientation() {
  const cost = await measureCost(networks, options.photos);
  log('measured the cost');
  const files = listPhotos(options.photos, Number(options.step));
  const rows = await measureAll(
    { ...location, folder: options.photos, files, threads: Number(options.threads) },
    (done) => log(`${done} of ${files.length} photographs`),
  );
  const results = { rows, cost };
  return [results, renderOrientation(results)] as const;
}

async function studySizes() {
  const detectors = new Map<Size, Networks['detector']>();
  for (const size of SIZES) detectors.set(size, (await openNetworks(location, [size])).detector);
  const photos = await somePhotos();
  const cost = await measureSizeCost(photos[0] as Photo, detectors);
  const rows = await measureSizes(photos, detectors, log);
  const results = { rows, cost: [...cost] };
  return [results, renderSizes(results)] as const;
}

async function studyFamilies() {
  const columns: FamilyColumn[] = [];
  for (const pack of [options.pack, options.beside])
    for (const sizes of FAMILY_SIZES) {
      const { detector } = await openNetworks({ ...location, pack }, sizes);
      columns.push({ name: `${pack} ${sizes.join(',')}`, detector });
    }
  const rows = await measureFamilies(await somePhotos(), columns, log);
  const names = columns.map(({ name }) => name);
  return [{ names, rows }, renderFamilies(names, rows)] as const;
}

async function somePhotos(): Promise<Photo[]> {
  const files = listPhotos(options.photos, SIZES_STEP).slice(0, SIZES_PHOTOS);
  const photos: Photo[] = [];
  for await (const photo of readPhotos(options.photos, files, networks.detector)) photos.push(photo);
  return photos;
}

function save(name: string, results: object, sections: Record<string, string>): void {
  const text = Object.values(sections).join('\n\n');
  writeFileSync(join(options.out, `${name}.json`), `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(join(options.out, `${name}.md`), `${text}\n`);
  if (options['write-docs']) writeDocs(sections);
  console.log(text);
}
