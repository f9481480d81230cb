import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { analyse } from './analysis.ts';
import { collectPairs } from './pairs/collect.ts';
import { embedPictures } from './pictures/embed-pictures.ts';
import { EmbeddingCache } from './pictures/embedding-cache.ts';
import { showProgress } from './progress.ts';
import { renderPage } from './report/report-page.ts';
import { thresholdsFile } from './report/thresholds-file.ts';
import { scorePairs } from './scored-pairs.ts';
import { ServiceClient } from './service/client.ts';
import { startLocalService } from './service/local-service.ts';
import { CalibrationError } from './usage-error.ts';

/** Holds embeddings until the report is written. */
export const CACHE_FILE = 'embeddings.jsonl';

/**
 * The whole measurement: collects pairs, embeds their pictures, writes the report.
 *
 * @param options of readOptions. @param log for progress. @param signal ends it in a state to go on from.
 * @returns what report.json holds.
 */
export async function calibrate(options, { log, signal }) {
  const collection = await collectPairs(options);
  makeFolder(options.out);
  const service = options.url ? { address: options.url, stop() {} } : await startOwn(log, signal);
  try {
    const client = new ServiceClient({ url: service.address, apiKey: options.apiKey, signal });
    const info = await client.modelInfo();
    log(`Model ${info.name}, embedding space ${info.embedding_space}.`);
    if (info.synthetic) log('This is the synthetic pack, which recognises nobody: the figures mean nothing.');
    return await measure(collection, { ...options, client, info, log, signal });
  } finally {
    await service.stop();
  }
}

async function startOwn(log, signal) {
  log('Starting the service for this measurement.');
  return startLocalService(signal);
}

async function measure(collection, context) {
  const { out, info, log, keepEmbeddings } = context;
  const cachePath = join(out, CACHE_FILE);
  // Whatever decides which face is taken and what is made of it.
  const recipe = `${info.embedding_space} ${info.detection} ${info.detection_threshold}`;
  const cache = new EmbeddingCache(cachePath, recipe);
  log(
    `${cachePath} holds the embeddings of your pictures, which are biometric data, until the report is written; only you ` +
      'may read it.',
  );
  let results;
  try {
    results = await embedAll(collection, { ...context, cache });
  } catch (error) {
    cache.close();
    throw error;
  }
  const { report, charts } = await evaluate(collection, results, context);
  writeReport(out, report, charts);
  if (keepEmbeddings) {
    cache.close();
    log(`${cachePath} is kept, as asked for. Remove it when you are done.`);
  } else {
    cache.remove();
    log(`${cachePath} is removed.`);
  }
  return report;
}

async function embedAll({ pairs, folder }, { client, cache, info, concurrency, signal, log }) {
  const names = [...new Set(pairs.flatMap(({ a, b }) => [a, b]))];
  const places = info.workers + info.limits.max_queue;
  log(`${pairs.length} pairs of ${names.length} pictures.`);
  const progress = showProgress(names.length);
  try {
    return await embedPictures({
      names,
      folder,
      client,
      cache,
      info,
      // Enough that no worker waits for a picture to arrive.
      concurrency: concurrency ?? Math.max(1, Math.min(2 * info.workers, places)),
      signal,
      onPicture: progress.advance,
    });
  } finally {
    progress.end();
  }
}

async function evaluate({ pairs, personOf }, results, { source, seed, info }) {
  const scored = scorePairs(pairs, results, personOf);
  for (const same of [true, false]) {
    if (!scored.pairs.some((pair) => pair.same === same))
      throw new CalibrationError(
        `No pair of ${same ? 'one person' : 'different people'} is left: ${results.size} pictures, of which ` +
          `${[...results.values()].filter(({ code }) => code).length} gave no embedding.`,
      );
  }
  const failures = [...results]
    .filter(([, { code }]) => code !== undefined)
    .map(([image, { code, reason }]) => ({ image, code, reason }))
    .sort((p, q) => (p.image < q.image ? -1 : 1));
  const report = {
    report_version: 1,
    created: new Date().toISOString(),
    source,
    seed,
    model: {
      name: info.name,
      embedding_space: info.embedding_space,
      embedding_size: info.embedding_size,
      licence: info.licence,
      service_version: info.version,
      detection: info.detection,
      detection_threshold: info.detection_threshold,
    },
    pictures: { total: results.size, embedded: results.size - failures.length, failed: failures.length },
    pairs: pairs.length,
    left_out: scored.leftOut,
    figures: analyse(scored, seed),
    failures,
  };
  // The library that draws takes a while to load; until here it was not needed.
  const { drawCharts } = await import('./report/charts/charts.ts');
  return { report, charts: drawCharts(report.figures, scored.pairs) };
}

function writeReport(out, report, charts) {
  const files = {
    ...charts,
    'report.json': asJson(report),
    'thresholds.json': asJson(thresholdsFile(report)),
    'report.html': renderPage(report, charts),
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(out, name), content);
}

const asJson = (value) => `${JSON.stringify(value, undefined, 2)}\n`;

/** New folders are for their owner only; the report names the pictures. */
function makeFolder(path) {
  try {
    if (mkdirSync(path, { recursive: true }) !== undefined) chmodSync(path, 0o700);
  } catch (error) {
    throw new CalibrationError(`${path} cannot be made (${error.code}).`);
  }
}
