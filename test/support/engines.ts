import { type Config, loadConfig } from '../../src/config.ts';
import type {
  Admission,
  EngineLoad,
  EngineStatus,
  FaceEngine,
  LoadedModel,
} from '../../src/engine/engine.ts';
import { InferenceEngine } from '../../src/engine/inference-engine.ts';
import { createLogger } from '../../src/log.ts';

export const silentLog = createLogger({ level: 'silent', name: 'test' });

export const testConfig = (environment: Record<string, string> = {}): Config =>
  loadConfig({ MODEL_NAME: 'synthetic', WORKERS: '1', HOST: '127.0.0.1', PORT: '0', ...environment });

/** The real engine, loaded. */
export async function startEngine(config: Config): Promise<InferenceEngine> {
  const engine = new InferenceEngine(config, silentLog);
  engine.start();
  while (engine.status.phase === 'starting') await new Promise((resolve) => setTimeout(resolve, 10));
  if (engine.status.phase !== 'ready') throw new Error(engine.status.reason);
  return engine;
}

/** An engine in whatever state a test wants it; it embeds nothing. */
export class TinyEngine implements FaceEngine {
  status: EngineStatus;
  load: EngineLoad = { admitted: 0, capacity: 5, queued: 0, workers: 1, alive: 1, busy: 0, restarted: 0 };
  model: LoadedModel | undefined;
  readonly #admit: () => Admission;

  constructor(status: EngineStatus, admit: () => Admission) {
    this.status = status;
    this.#admit = admit;
  }

  admit(): Admission {
    return this.#admit();
  }
}
