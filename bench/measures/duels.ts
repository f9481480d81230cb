const service = { system: 'service' };
const fast = { name: 'fast', system: 'service', transport: 'fast' };
const raw = { name: 'raw', system: 'service', transport: 'raw' };
const twoProcesses = { system: 'peer2' };
const oneProcess = { system: 'peer1' };
const reference = { system: 'reference' };

/** Figures that a floor depends on are measured longer, what is told beside them shorter. */
const LONG = 1.5;
const SHORT = 0.75;

/**
 * What the closed loop measures side by side; `photographs` as JSON where nothing else is said. Contestants that are not
 * there (no peer, no such option) are left out, and those marked `detail` from a quick run. Large pictures come last:
 * memory is looked at before them.
 */
export const DUELS = [
  { size: '250', connections: 8, weight: LONG, contestants: [service, reference, twoProcesses, oneProcess] },
  { size: '1280', connections: 8, weight: LONG, contestants: [service, twoProcesses, oneProcess] },
  { size: '250', connections: 1, weight: LONG, contestants: [service, twoProcesses, oneProcess] },
  { size: '1280', connections: 1, weight: LONG, contestants: [service, twoProcesses, oneProcess] },
  { size: '250', kind: 'portraits', connections: 8, contestants: [service, fast, twoProcesses] },
  { size: '1280', kind: 'portraits', connections: 8, contestants: [service, fast, twoProcesses] },
  { size: '250', connections: 2, weight: SHORT, contestants: [service, twoProcesses] },
  { size: '250', connections: 32, weight: SHORT, contestants: [service, twoProcesses] },
  { size: '250', connections: 8, weight: SHORT, contestants: [service, raw], detail: true },
  { size: '1280', connections: 8, weight: SHORT, contestants: [service, raw], detail: true },
  {
    size: '250',
    kind: 'png',
    connections: 8,
    weight: SHORT,
    contestants: [service, twoProcesses],
    detail: true,
  },
  {
    size: '1280',
    kind: 'png',
    connections: 8,
    weight: SHORT,
    contestants: [service, twoProcesses],
    detail: true,
  },
  { size: '12mp', connections: 1, contestants: [service, twoProcesses], detail: true },
  { size: '12mp', connections: 8, contestants: [service, twoProcesses], detail: true },
].map((duel) => ({ kind: 'photographs', weight: 1, detail: false, ...duel }));
