import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LIVENESS_FILE } from '../../../packs/liveness/calibration-file.ts';
import type { CalibrationContext } from '../calibrate.ts';
import { CalibrationError } from '../calibration-error.ts';
import { createFolder } from '../out-folder.ts';
import { showProgress } from '../progress.ts';
import { type ModelInfo, ServiceClient } from '../service/client.ts';
import { startLocalService } from '../service/local-service.ts';
import type { LivenessCalibrationOptions } from './options.ts';
import { collectPresentations, type ScoredPresentations, scorePresentations } from './presentations.ts';
import { calibrationFile, describeLiveness, type LivenessReport, scoresByClass } from './report.ts';

/**
 * Scores the pictures of live faces and of spoofs, and writes the report and, where there are enough of them, `liveness.json`.
 * Neither pictures nor embeddings are written.
 *
 * @throws {CalibrationError} with a sentence for the user.
 */
export async function calibrateLiveness(
  options: LivenessCalibrationOptions,
  { log, signal }: CalibrationContext,
): Promise<LivenessReport> {
  const presentations = await collectPresentations(options.live, options.spoof);
  createFolder(options.out);
  if (options.url === undefined) log('Starting the service for this measurement.');
  const service = options.url === undefined ? await startLocalService(signal) : undefined;
  try {
    const url = options.url ?? (service?.address as string);
    const client = new ServiceClient({ url, apiKey: options.apiKey, signal });
    const info = await client.modelInfo();
    if (info.liveness === undefined)
      throw new CalibrationError('The service has no liveness model: set LIVENESS_MODEL.');
    log(
      `Liveness model ${info.liveness.model}, boxes of the pack ${info.name}. ${presentations.length} pictures.`,
    );
    const progress = showProgress(presentations.length);
    const results = await scorePresentations(presentations, {
      client,
      model: info.liveness.model,
      concurrency: options.concurrency ?? 2 * info.workers,
      signal,
      onPicture: progress.advance,
    }).finally(progress.end);
    return await writeReport(results, options, { ...info, liveness: info.liveness });
  } finally {
    await service?.stop();
  }
}

async function writeReport(
  results: ScoredPresentations,
  { out, source, target }: LivenessCalibrationOptions,
  { name: pack, version, liveness }: ModelInfo & { liveness: NonNullable<ModelInfo['liveness']> },
): Promise<LivenessReport> {
  const scores = scoresByClass(results);
  for (const [name, { length }] of Object.entries({
    'live face': scores.live,
    spoof: [...scores.spoofs.keys()],
  })) {
    if (length === 0) throw new CalibrationError(`No ${name} got a score.`);
  }
  const files = liveness.files.map(({ sha256 }) => sha256);
  const { model: name, licence } = liveness;
  const model = { name, files, licence, service_version: version, pack };
  const report = describeLiveness(results, scores, { source, model, target });
  // ECharts takes a while to load, and is not needed before.
  const { drawLivenessCharts } = await import('./charts.ts');
  const { renderLivenessPage } = await import('./page.ts');
  const charts = drawLivenessCharts(scores, report.chosen);
  const calibration = calibrationFile(report);
  const contents: Record<string, string> = {
    ...charts,
    'report.json': asJson(report),
    'report.html': renderLivenessPage(report, charts),
    ...(calibration && { [LIVENESS_FILE]: asJson(calibration) }),
  };
  // One of an earlier measurement must not pass for this one's.
  rmSync(join(out, LIVENESS_FILE), { force: true });
  for (const [file, content] of Object.entries(contents)) writeFileSync(join(out, file), content);
  return report;
}

const asJson = (value: object) => `${JSON.stringify(value, undefined, 2)}\n`;
