import type { Machine } from './machine.ts';
import type { ScenarioResult } from './measures/closed-loop.ts';
import type { CompareRow } from './measures/compare.ts';
import type { ServerName } from './measures/context.ts';
import type { HealthRow } from './measures/health.ts';
import type { InferenceResult } from './measures/inference.ts';
import type { OpenLoopRow } from './measures/open-loop.ts';
import type { OverloadRow } from './measures/overload.ts';
import type { FastAnswers, SameAnswers } from './measures/request-sets.ts';
import type { StagesRow } from './measures/stages.ts';
import type { StartResults } from './measures/start.ts';
import type { PackOptions } from './options.ts';
import type { Peer } from './servers/peer.ts';
import type { MemoryReadings } from './servers/server-process.ts';

/** What a run has measured; a group that was not measured is absent. */
export interface Measurements {
  inference?: Record<string, InferenceResult>;
  stages?: StagesRow[];
  closed?: ScenarioResult[];
  open?: OpenLoopRow[];
  overload?: OverloadRow[];
  health?: HealthRow[];
  compare?: CompareRow[];
  start?: StartResults;
  memory?: Partial<Record<ServerName, MemoryReadings>>;
}

/** What a run has measured of one pack. results.json has a list of them. */
export interface Results extends Measurements {
  /** ISO 8601. */
  started: string;
  plan: Pick<PackOptions, 'seconds' | 'slice' | 'quick' | 'sizes' | 'only' | 'serviceEnvironment'>;
  machine: Machine;
  /** Name, and the SHA-256 of each graph. `large`: whether it stands in for a large pack. */
  pack: { name: string; large: boolean; detector: string; recogniser: string };
  /** Absent if the peer was not measured. */
  peer?: Pick<Peer, 'versions'>;
  sameAnswers?: SameAnswers;
  fastAnswers?: FastAnswers;
}
