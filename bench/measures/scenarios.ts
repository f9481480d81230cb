import type { PictureSize } from '../options.ts';
import type { PictureKind } from '../pictures/test-pictures.ts';
import type { ServerName } from './context.ts';
import type { Transport } from './request-sets.ts';

/** A column of the results: a server, the service with other requests, or the reference. */
export type SystemName = ServerName | 'fast' | 'raw' | 'reference';

/** A server and how it is called, or the reference, which is not called over HTTP. */
export type Variant = { name: SystemName; server: ServerName; transport: Transport } | 'reference';

export interface Scenario {
  size: PictureSize;
  kind: PictureKind;
  connections: number;
  /** Factor of the measured time. */
  weight: number;
  variants: readonly Variant[];
  /** Left out of a quick run. */
  detail: boolean;
}

const service: Variant = { name: 'service', server: 'service', transport: 'json' };
const fast: Variant = { name: 'fast', server: 'service', transport: 'fast' };
const raw: Variant = { name: 'raw', server: 'service', transport: 'raw' };
const twoProcesses: Variant = { name: 'peer2', server: 'peer2', transport: 'json' };
const oneWorker: Variant = { name: 'service1', server: 'service1', transport: 'json' };
const fourWorkers: Variant = { name: 'service4', server: 'service4', transport: 'json' };
const oneProcess: Variant = { name: 'peer1', server: 'peer1', transport: 'json' };

/** Figures that a floor depends on are measured longer, others shorter. */
const LONG = 1.5;
const SHORT = 0.75;

const COMMON = { kind: 'photographs', weight: 1, detail: false } as const;
const BRIEF = { ...COMMON, weight: SHORT } as const;
const withPeers = [service, twoProcesses, oneProcess];

/** What the closed loop measures side by side. Large pictures come last, because memory is read before them. */
export const SCENARIOS: readonly Scenario[] = [
  {
    ...COMMON,
    size: '250',
    connections: 8,
    weight: LONG,
    variants: [service, 'reference', twoProcesses, oneProcess],
  },
  { ...COMMON, size: '1280', connections: 8, weight: LONG, variants: withPeers },
  { ...COMMON, size: '250', connections: 1, weight: LONG, variants: withPeers },
  { ...COMMON, size: '1280', connections: 1, weight: LONG, variants: withPeers },
  { ...COMMON, size: '250', kind: 'portraits', connections: 8, variants: [service, fast, twoProcesses] },
  { ...COMMON, size: '1280', kind: 'portraits', connections: 8, variants: [service, fast, twoProcesses] },
  { ...BRIEF, size: '250', connections: 2, variants: [service, twoProcesses] },
  { ...BRIEF, size: '250', connections: 32, variants: [service, twoProcesses] },
  { ...BRIEF, size: '250', connections: 8, variants: [service, raw], detail: true },
  { ...BRIEF, size: '1280', connections: 8, variants: [service, raw], detail: true },
  { ...BRIEF, size: '250', kind: 'png', connections: 8, variants: [service, twoProcesses], detail: true },
  { ...BRIEF, size: '1280', kind: 'png', connections: 8, variants: [service, twoProcesses], detail: true },
  { ...COMMON, size: '12mp', connections: 1, variants: [service, twoProcesses], detail: true },
  { ...COMMON, size: '12mp', connections: 8, variants: [service, twoProcesses], detail: true },
];

/** The same for large packs, of which a picture takes ten times as long. */
export const LARGE_SCENARIOS: readonly Scenario[] = [
  {
    ...COMMON,
    size: '250',
    connections: 8,
    variants: [service, oneWorker, fourWorkers, 'reference', twoProcesses, oneProcess],
  },
  { ...COMMON, size: '1280', connections: 8, variants: [service, twoProcesses] },
  // The peer with one process uses all cores for one picture, as the service does.
  { ...COMMON, size: '250', connections: 1, variants: [service, oneProcess] },
];
