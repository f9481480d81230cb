import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import { InferenceEngine } from '../../src/engine/inference-engine.ts';
import { createLogger } from '../../src/observability/log.ts';
import type { ModelPack } from '../../src/packs/pack.ts';
import { toSearchOptions } from '../../src/routes/search-options.ts';
import { personOf } from '../quality/photos.ts';

/** A photograph in which the service finds a face. Its embedding stays in memory. */
export interface EmbeddedPhoto {
  file: string;
  person: string;
  /** A unit vector. */
  embedding: Float64Array;
  detectionScore: number;
}

/** Embeds photographs as `/v1/embed` does with `faces=largest`, on the service's own workers. */
export async function embedPhotos(
  files: readonly string[],
  { folder, pack: name, models, threads }: { folder: string; pack: string; models: string; threads: string },
): Promise<{ photos: EmbeddedPhoto[]; pack: ModelPack }> {
  const log = await createLogger({ level: 'silent', name: 'study' });
  const config = loadConfig({
    MODEL_NAME: name,
    MODELS_DIR: models,
    WORKERS: threads,
    MAX_QUEUE: String(files.length),
    REQUEST_TIMEOUT_MS: '600000',
  });
  const engine = new InferenceEngine(config, log);
  engine.start();
  try {
    while (engine.status.phase === 'starting') await new Promise((resolve) => setTimeout(resolve, 50));
    const admission = engine.admit(files.length);
    const options = {
      ...toSearchOptions(
        { faces: 'largest', detection: undefined, detection_threshold: undefined, orientation: undefined },
        config,
      ),
      maxFaces: 1,
      quality: false,
    };
    const photos = await Promise.all(
      files.map(async (file) => {
        const image = new Uint8Array(await readFile(join(folder, file)));
        const { faces } = await admission.embed(image, options);
        const face = faces[0];
        if (face === undefined) throw new Error(`No face is found in ${file}.`);
        const { embedding, score } = face;
        return {
          file,
          person: personOf(file),
          embedding: Float64Array.from(embedding),
          detectionScore: score,
        };
      }),
    );
    admission.release();
    return { photos, pack: admission.model.pack };
  } finally {
    await engine.close();
  }
}
