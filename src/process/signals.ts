/*
 * Signals, from the first moment of the process on: this file imports nothing, and main.ts reads it before anything else. A
 * process without handlers is ended by a signal in the middle of what it does, or, as PID 1 of a container, ignores it.
 */

/** Those that ask the process to end. SIGHUP comes from a terminal that closes, and from supervisors that reload with it. */
const ENDING = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

export type EndingSignal = (typeof ENDING)[number];

/** Nothing runs yet that would have to end first. The process ends as it does after a drain. */
let onEnd: (signal: EndingSignal) => void = () => process.exit(0);
let onDebug: () => void = () => {};

export function installSignalHandlers(): void {
  for (const signal of ENDING) process.on(signal, () => onEnd(signal));
  // Without a listener, Node opens its inspector, which executes what it is sent.
  process.on('SIGUSR1', () => onDebug());
}

/** Decides what a signal does from now on. */
export function handleSignals(handlers: { end: (signal: EndingSignal) => void; debug: () => void }): void {
  onEnd = handlers.end;
  onDebug = handlers.debug;
}
