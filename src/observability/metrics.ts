import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { ERROR_CATALOGUE, type ErrorCode } from '../errors.ts';
import type { EngineLoad } from './engine-load.ts';
import {
  REJECTION_REASONS,
  REQUEST_STAGES,
  type RequestObserver,
  type RequestRecord,
  stagesOf,
  UNMATCHED_ROUTE,
} from './request-record.ts';

/** What the metrics read of the engine at each scrape. */
export interface EngineSource {
  readonly status: { phase: string };
  readonly load: EngineLoad;
  readonly model: { pack: { name: string; embeddingSpace: string; origin: string } } | undefined;
}

export interface MetricsSources {
  engine: EngineSource;
  /** Bytes of request bodies and answers held now, and their maximum. */
  bodies: { readonly taken: number; readonly capacity: number };
  /** Request bodies that are arriving. */
  uploads: { readonly taken: number };
  /** Lines of the log that were dropped so far. */
  log: { readonly dropped: number };
  keys: { readonly fileIsValid: boolean };
  version: string;
}

/** Buckets in seconds; inference takes tens of milliseconds, a queue up to REQUEST_TIMEOUT_MS. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];
const BYTES = [1e3, 1e4, 1e5, 5e5, 1e6, 2e6, 5e6, 1e7, 2e7, 5e7];
const FACES = [0, 1, 2, 3, 5, 10, 20, 50, 100];

/** The label of callers without a key. */
const OTHER_CALLERS = 'other';

/** The metrics of one process in Prometheus's format. Every label has a bounded set of values. */
export class Metrics implements RequestObserver {
  readonly #registry = new Registry();
  readonly #requests: Counter<'route' | 'status' | 'error_code'>;
  readonly #durations: Histogram<'route'>;
  readonly #bodyBytes: Histogram<'route'>;
  readonly #rejected: Counter<'reason'>;
  readonly #stages: Histogram<'stage'>;
  readonly #images: Counter<'error_code'>;
  readonly #faces: Histogram;
  readonly #inFlight: Gauge;
  readonly #keyRequests: Counter<'key' | 'error_code'>;
  readonly #keyImages: Counter<'key'>;

  constructor(sources: MetricsSources) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#requests = new Counter({
      name: 'face_http_requests_total',
      help: 'Requests answered; error_code is empty for a success.',
      labelNames: ['route', 'status', 'error_code'],
      registers,
    });
    this.#durations = new Histogram({
      name: 'face_http_request_duration_seconds',
      help: 'Time from the headers of a request to its answer.',
      labelNames: ['route'],
      buckets: SECONDS,
      registers,
    });
    this.#bodyBytes = new Histogram({
      name: 'face_http_request_body_bytes',
      help: 'Bytes read of request bodies.',
      labelNames: ['route'],
      buckets: BYTES,
      registers,
    });
    this.#rejected = new Counter({
      name: 'face_http_rejected_total',
      help: 'Requests refused without any work for them.',
      labelNames: ['reason'],
      registers,
    });
    this.#stages = new Histogram({
      name: 'face_stage_duration_seconds',
      help: 'Time spent in each stage for one image or ranking; queue is the wait for a worker.',
      labelNames: ['stage'],
      buckets: SECONDS,
      registers,
    });
    this.#images = new Counter({
      name: 'face_images_total',
      help: 'Images answered, alone or in batches; error_code is empty for a success.',
      labelNames: ['error_code'],
      registers,
    });
    this.#faces = new Histogram({
      name: 'face_faces_per_image',
      help: 'Faces embedded for one image.',
      buckets: FACES,
      registers,
    });
    this.#inFlight = new Gauge({
      name: 'face_http_requests_in_flight',
      help: 'Requests being answered.',
      registers,
    });
    this.#keyRequests = new Counter({
      name: 'face_key_requests_total',
      help: 'Requests answered to each API key; key is "other" without keys, error_code is empty for a success.',
      labelNames: ['key', 'error_code'],
      registers,
    });
    this.#keyImages = new Counter({
      name: 'face_key_images_total',
      help: 'Images answered to each API key, alone or in batches; key is "other" without keys.',
      labelNames: ['key'],
      registers,
    });
    this.#addGauges(sources);
  }

  /** Counts a request that is about to be handled. */
  begin(): void {
    this.#inFlight.inc();
  }

  /** Counts a request that has been answered. */
  observe(record: RequestRecord): void {
    const { route } = record;
    this.#inFlight.dec();
    this.#requests.inc({ route, status: record.status, error_code: record.errorCode ?? '' });
    this.#durations.observe({ route }, record.duration / 1000);
    if (record.bytesIn > 0) this.#bodyBytes.observe({ route }, record.bytesIn);
    if (record.rejection) this.#rejected.inc({ reason: record.rejection });
    for (const { errorCode, faces } of record.images) {
      this.#images.inc({ error_code: errorCode ?? '' });
      if (faces !== undefined) this.#faces.observe(faces);
    }
    if (record.tenant !== undefined) {
      // Names of keys are configured, addresses come from callers.
      const key = record.keyName ?? OTHER_CALLERS;
      this.#keyRequests.inc({ key, error_code: record.errorCode ?? '' });
      if (record.images.length > 0) this.#keyImages.inc({ key }, record.images.length);
    }
    for (const [stage, ms] of record.laps.flatMap(stagesOf)) this.#stages.observe({ stage }, ms / 1000);
  }

  /** The names of all series, for checking documents against. */
  get names(): string[] {
    return this.#registry.getMetricsAsArray().map(({ name }) => name);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  render(): Promise<string> {
    return this.#registry.metrics();
  }

  /** Gauges are read from the engine at each scrape, so that they cannot drift from it. */
  #addGauges({ engine, bodies, uploads, log, keys, version }: MetricsSources): void {
    const gauge = (name: string, help: string, read: () => number) =>
      new Gauge({
        name,
        help,
        registers: [this.#registry],
        collect() {
          this.set(read());
        },
      });
    const counter = (name: string, help: string, read: () => number) =>
      new Counter({
        name,
        help,
        registers: [this.#registry],
        collect() {
          this.reset();
          this.inc(read());
        },
      });
    gauge(
      'face_inflight_body_bytes',
      'Bytes of request bodies that are held or announced, and of answers that have not left.',
      () => bodies.taken,
    );
    gauge('face_uploads', 'Request bodies that are arriving.', () => uploads.taken);
    gauge(
      'face_inflight_body_bytes_limit',
      'Maximum bytes that may be held: MAX_INFLIGHT_BYTES.',
      () => bodies.capacity,
    );
    gauge('face_images_processing', 'Images being processed.', () => engine.load.processing);
    gauge('face_images_queued', 'Images waiting for a worker.', () => engine.load.queued);
    gauge(
      'face_images_admitted',
      'Images that hold a place: those being processed, those waiting, and those of batches that are not yet handed over.',
      () => engine.load.admitted,
    );
    gauge(
      'face_images_capacity',
      'Maximum images that may hold a place: those that all workers process at a time, and MAX_QUEUE.',
      () => engine.load.capacity,
    );
    gauge('face_workers', 'Worker threads configured.', () => engine.load.workers);
    gauge('face_workers_alive', 'Worker threads that can take an image.', () => engine.load.alive);
    gauge('face_workers_busy', 'Worker threads working on an image.', () => engine.load.busy);
    gauge('face_workers_hung', 'Worker threads that were given up and still hang.', () => engine.load.hung);
    gauge('face_ready', 'Whether faces can be embedded.', () => (engine.status.phase === 'ready' ? 1 : 0));
    gauge(
      'face_api_key_file_valid',
      'Whether the key file was well-formed when it was last read; 1 without one. While it is not, the keys stay as they were.',
      () => (keys.fileIsValid ? 1 : 0),
    );
    counter(
      'face_workers_restarted_total',
      'Worker threads that were lost and replaced.',
      () => engine.load.restarted,
    );
    counter(
      'face_log_lines_dropped_total',
      'Lines of the log that standard output did not take.',
      () => log.dropped,
    );
    new Gauge({
      name: 'face_build_info',
      help: 'Always 1.',
      labelNames: ['version', 'node'],
      registers: [this.#registry],
    }).set({ version, node: process.version }, 1);
    new Gauge({
      name: 'face_model_info',
      help: 'Always 1 once a model is loaded.',
      labelNames: ['model', 'embedding_space', 'origin'],
      registers: [this.#registry],
      collect() {
        if (engine.model === undefined) return;
        const { name, embeddingSpace, origin } = engine.model.pack;
        this.set({ model: name, embedding_space: embeddingSpace, origin }, 1);
      },
    });
  }

  /** Creates all series at zero, so that a rate includes the first event. */
  initialise(routes: readonly string[], keys: readonly string[]): void {
    for (const key of keys.length > 0 ? keys : [OTHER_CALLERS]) {
      this.#keyRequests.inc({ key, error_code: '' }, 0);
      this.#keyImages.inc({ key }, 0);
    }
    const errors = Object.entries(ERROR_CATALOGUE) as [ErrorCode, { status: number }][];
    for (const route of [...routes, UNMATCHED_ROUTE]) {
      this.#durations.zero({ route });
      this.#bodyBytes.zero({ route });
      this.#requests.inc({ route, status: 200, error_code: '' }, 0);
      for (const [code, { status }] of errors) this.#requests.inc({ route, status, error_code: code }, 0);
    }
    for (const code of ['', ...errors.map(([name]) => name)]) this.#images.inc({ error_code: code }, 0);
    for (const stage of REQUEST_STAGES) this.#stages.zero({ stage });
    for (const reason of REJECTION_REASONS) this.#rejected.inc({ reason }, 0);
    this.#faces.zero({});
  }
}
