import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { InferenceEngine } from '../../../src/engine/inference-engine.ts';
import {
  describeSyntheticPack,
  generateSyntheticPack,
  SYNTHETIC_LICENCE,
  SYNTHETIC_PACK_FILES,
  type SyntheticPackOptions,
} from '../../../tools/synthetic/pack.ts';
import { silentLog, testConfig } from '../engine/engines.ts';
import { type Answer, answerOf } from '../http/answer.ts';
import { assembleApp } from '../http/app.ts';
import { temporaryFolder, writeFiles } from '../temporary-folder.ts';

type Manifest = ReturnType<typeof describeSyntheticPack>;

/** A synthetic pack called "own" with a manifest, and the changes to it. */
export interface DescribedPack extends SyntheticPackOptions {
  manifest?: (manifest: Manifest) => unknown;
  /** By path in the pack's folder. An undefined file is omitted. */
  files?: Record<string, string | undefined>;
}

/** Writes the pack into a temporary folder of the current test. @returns MODELS_DIR */
export async function writeDescribedPack(pack: DescribedPack = {}): Promise<string> {
  return writeDescribedPackTo(await temporaryFolder(), pack);
}

/** Writes the pack into a MODELS_DIR and returns it. */
export async function writeDescribedPackTo(
  modelsDir: string,
  { manifest: change = (manifest) => manifest, files = {}, ...options }: DescribedPack = {},
): Promise<string> {
  const pack = generateSyntheticPack(options);
  const all = {
    [SYNTHETIC_PACK_FILES.detector]: pack.detector,
    [SYNTHETIC_PACK_FILES.recogniser]: pack.recogniser,
    [SYNTHETIC_LICENCE.file]: SYNTHETIC_LICENCE.text,
    'manifest.json': JSON.stringify(change(describeSyntheticPack(pack, options))),
    ...files,
  };
  for (const [path, content] of Object.entries(all)) {
    if (content !== undefined) await writeFiles(join(modelsDir, 'own'), { [path]: content });
  }
  return modelsDir;
}

export interface ServedPack {
  /** The response of /readyz after the first attempt to load. */
  ready: Answer;
  get: (path: string) => Promise<Answer>;
  /** @param query the options of the request. */
  embed: (image: Uint8Array<ArrayBuffer>, query?: string) => Promise<Answer>;
  compare: (body: object) => Promise<Answer>;
  /** Logged warnings and errors. */
  warnings: string[];
  errors: string[];
}

/** Runs the service with a pack in this folder until the current test ends. */
export async function servePack(
  modelsDir: string,
  name = 'own',
  environment: Record<string, string> = {},
): Promise<ServedPack> {
  const warnings: string[] = [];
  const errors: string[] = [];
  const log = silentLog.child({});
  log.warn = (...values: unknown[]) => void warnings.push(String(values.at(-1)));
  log.error = (...values: unknown[]) => void errors.push(String(values.at(-1)));
  const config = testConfig({ MODEL_NAME: name, MODELS_DIR: modelsDir, ...environment });
  const engine = new InferenceEngine(config, log);
  onTestFinished(() => engine.close());
  engine.start();
  while (engine.status.phase === 'starting') await new Promise((resolve) => setTimeout(resolve, 10));
  const { app } = assembleApp(config, engine);
  const get = async (path: string) => answerOf(await app.request(path));
  return {
    get,
    ready: await get('/readyz'),
    async embed(body, query = '') {
      const headers = { 'Content-Type': 'application/octet-stream' };
      return answerOf(await app.request(`/v1/embed?${query}`, { method: 'POST', headers, body }));
    },
    async compare(body) {
      const headers = { 'Content-Type': 'application/json' };
      return answerOf(
        await app.request('/v1/compare', { method: 'POST', headers, body: JSON.stringify(body) }),
      );
    },
    warnings,
    errors,
  };
}
