import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { metric, seriesValue } from '../../support/http/metric.ts';
import { ServiceProcess } from '../../support/processes/service-process.ts';
import { hasRealWeights, MODELS } from '../../support/shared.ts';

/** Real weights where they are, else the synthetic pack. */
export const PACK: Record<string, string> = hasRealWeights
  ? { MODEL_NAME: 'buffalo_sc_dq', MODELS_DIR: MODELS }
  : { MODEL_NAME: 'synthetic' };

const MIB = 1024 * 1024;

export interface TargetOptions {
  /** How many files it may have open. */
  openFiles?: number;
  /** A command that starts the service as its own process. */
  wrapper?: readonly string[];
}

/** The service under attack, with what an operator sees of it from outside. */
export class Target {
  readonly service: ServiceProcess;
  address = '';

  /** @param environment settings other than the defaults. A variable that is undefined is not set. */
  constructor(
    environment: Record<string, string | undefined> = {},
    { openFiles, wrapper = [] }: TargetOptions = {},
  ) {
    const settings = { ...PACK, WORKERS: '2', MALLOC_ARENA_MAX: '2', ...environment };
    this.service = new ServiceProcess(settings, {}, openFiles, wrapper);
  }

  async start(): Promise<this> {
    this.address = await this.service.ready();
    return this;
  }

  /** The process id of the service. */
  get pid(): number {
    return this.service.child.pid as number;
  }

  get hasEnded(): boolean {
    const { exitCode, signalCode } = this.service.child;
    return exitCode !== null || signalCode !== null;
  }

  /** Resident memory in MiB; the share of mapped files that other processes use, too, is not divided. */
  get memory(): number {
    return this.service.memory;
  }

  /** The highest resident memory so far, in MiB. */
  get peakMemory(): number {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(this.#status())?.[1]) / 1024;
  }

  get threads(): number {
    return Number(/^Threads:\s+(\d+)/m.exec(this.#status())?.[1]);
  }

  #status(): string {
    if (this.hasEnded) return '';
    return readFileSync(`/proc/${this.pid}/status`, 'utf8');
  }

  /** What open descriptors lead to: `socket`, `pipe`, `anon_inode`, or a path. */
  get descriptors(): string[] {
    const folder = `/proc/${this.pid}/fd`;
    return readdirSync(folder).flatMap((name) => {
      try {
        return readlinkSync(`${folder}/${name}`).replace(/^(socket|pipe|anon_inode):.*/, '$1');
      } catch {
        // Closed meanwhile.
        return [];
      }
    });
  }

  /** How it ended, with its last words; undefined while it runs. */
  get ending(): string | undefined {
    if (!this.hasEnded) return undefined;
    const { exitCode, signalCode } = this.service.child;
    return `The service ended with ${exitCode ?? signalCode}: ${(this.service.stderr + this.service.stdout).slice(-1_500)}`;
  }

  /** Worker threads that were lost and replaced; not a number when the process has ended. */
  async workersLost(): Promise<number> {
    if (this.hasEnded) return Number.NaN;
    return (await metric(this.address, 'face_workers_restarted_total')) ?? Number.NaN;
  }

  /** What is held for requests. All of it is zero when nothing is in flight. */
  async held(): Promise<Record<string, number | undefined>> {
    const text = await (await fetch(`${this.address}/metrics`)).text();
    const series = [
      'face_images_admitted',
      'face_images_queued',
      'face_images_processing',
      'face_inflight_body_bytes',
    ];
    return Object.fromEntries(series.map((name) => [name, seriesValue(text, name)]));
  }

  /** Records of the log that say that something went wrong inside the service. */
  get complaints(): string[] {
    return this.service.stdout
      .split('\n')
      .filter((line) => /"level":(50|60)/.test(line))
      .concat(this.service.stderr.split('\n').filter((line) => line !== ''));
  }

  end(): Promise<void> {
    return this.service.end();
  }
}

/** The lowest of several samples of memory, in MiB: what remains when garbage has been collected. */
export async function settledMemory(target: Target, samples = 20): Promise<number> {
  let lowest = Number.POSITIVE_INFINITY;
  for (let left = samples; left > 0; left--) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    lowest = Math.min(lowest, target.memory);
  }
  return lowest;
}

export const mebibytes = (bytes: number): number => Math.round(bytes / MIB);
