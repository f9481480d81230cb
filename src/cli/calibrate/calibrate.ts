import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { THRESHOLDS_FILE } from '../../packs/thresholds.ts';
import { analyse } from './analysis.ts';
import { CalibrationError } from './calibration-error.ts';
import type { CalibrationOptions } from './options.ts';
import { createFolder } from './out-folder.ts';
import { collectPairs, type PairCollection } from './pairs/collect.ts';
import { embedPictures, isEmbedded, type PictureResults } from './pictures/embed-pictures.ts';
import { EmbeddingCache } from './pictures/embedding-cache.ts';
import { showProgress } from './progress.ts';
import type { CalibrationReport } from './report/report.ts';
import { renderPage } from './report/report-page.ts';
import { thresholdsFile } from './report/thresholds-file.ts';
import { type ScoredPairs, scorePairs } from './scored-pairs.ts';
import { type ModelInfo, ServiceClient } from './service/client.ts';
import { startLocalService } from './service/local-service.ts';

/** Holds the embeddings until the report is written. */
const CACHE_FILE = 'embeddings.jsonl';

export interface CalibrationContext {
  /** Prints a line for the user. */
  log: (text: string) => void;
  /** Interrupts the measurement; the same command resumes it. */
  signal: AbortSignal;
}

/** A measurement with a service that is ready. */
interface Measurement extends CalibrationContext {
  options: CalibrationOptions;
  collection: PairCollection;
  client: ServiceClient;
  info: ModelInfo;
}

/**
 * Collects the pairs, embeds their pictures, and writes the report.
 *
 * @throws {CalibrationError} with a sentence for the user.
 */
export async function calibrate(
  options: CalibrationOptions,
  context: CalibrationContext,
): Promise<CalibrationReport> {
  const { log, signal } = context;
  const collection = await collectPairs(options.pairs);
  createFolder(options.out);
  if (options.url === undefined) log('Starting the service for this measurement.');
  const service = options.url === undefined ? await startLocalService(signal) : undefined;
  try {
    const url = options.url ?? (service?.address as string);
    const client = new ServiceClient({ url, apiKey: options.apiKey, signal });
    const info = await client.modelInfo();
    log(`Model ${info.name}, embedding space ${info.embedding_space}.`);
    if (info.synthetic)
      log('This is the synthetic pack, which does not recognise people: the figures mean nothing.');
    return await measure({ ...context, options, collection, client, info });
  } finally {
    await service?.stop();
  }
}

async function measure(measurement: Measurement): Promise<CalibrationReport> {
  const { info, options, log } = measurement;
  const path = join(options.out, CACHE_FILE);
  // Everything that decides which face is embedded, and how.
  const cache = new EmbeddingCache(
    path,
    `${info.embedding_space} ${info.detection} ${info.detection_threshold}`,
  );
  log(
    `${path} holds the embeddings of your pictures, which are biometric data, until the report is written. Only you can ` +
      'read it.',
  );
  let results: PictureResults;
  try {
    results = await embedAll(measurement, cache);
  } catch (error) {
    cache.close();
    throw error;
  }
  const report = await writeReport(measurement, results);
  if (options.keepEmbeddings) {
    cache.close();
    log(`${path} is kept, as requested. Remove it when you no longer need it.`);
  } else {
    cache.remove();
    log(`${path} is removed.`);
  }
  return report;
}

async function embedAll(measurement: Measurement, cache: EmbeddingCache): Promise<PictureResults> {
  const { collection, client, info, options, signal, log } = measurement;
  const { pairs, folder } = collection;
  const names = [...new Set(pairs.flatMap(({ a, b }) => [a, b]))];
  const capacity = info.workers + info.limits.max_queue;
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
      concurrency: options.concurrency ?? Math.max(1, Math.min(2 * info.workers, capacity)),
      signal,
      onPicture: progress.advance,
    });
  } finally {
    progress.end();
  }
}

async function writeReport(measurement: Measurement, results: PictureResults): Promise<CalibrationReport> {
  const { collection, options } = measurement;
  const scored = scorePairs(collection.pairs, results, collection.personOf);
  assertBothKinds(scored, results);
  const report = describeReport(measurement, scored, results);
  // ECharts takes a while to load, and is not needed before.
  const { drawCharts } = await import('./report/charts/charts.ts');
  const charts = drawCharts(report.figures, scored.pairs);
  const files = {
    ...charts,
    'report.json': asJson(report),
    [THRESHOLDS_FILE]: asJson(thresholdsFile(report)),
    'report.html': renderPage(report, charts),
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(options.out, name), content);
  return report;
}

function assertBothKinds({ pairs }: ScoredPairs, results: PictureResults): void {
  const failed = [...results.values()].filter((result) => !isEmbedded(result)).length;
  for (const same of [true, false]) {
    if (!pairs.some((pair) => pair.same === same))
      throw new CalibrationError(
        `No pair of ${same ? 'the same person' : 'different people'} is left: ${failed} of ${results.size} pictures ` +
          'gave no embedding.',
      );
  }
}

function describeReport(
  { collection, info, options: { source, seed, gallery } }: Measurement,
  scored: ScoredPairs,
  results: PictureResults,
): CalibrationReport {
  const failures = [...results]
    .flatMap(([image, result]) =>
      isEmbedded(result) ? [] : [{ image, code: result.code, reason: result.reason }],
    )
    .sort((p, q) => (p.image < q.image ? -1 : 1));
  return {
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
    pairs: collection.pairs.length,
    left_out: scored.leftOut,
    figures: analyse(scored, { seed, gallery }),
    failures,
  };
}

const asJson = (value: object) => `${JSON.stringify(value, undefined, 2)}\n`;
