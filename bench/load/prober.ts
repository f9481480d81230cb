// Requests a URL repeatedly, in a process of its own, until it receives a message. Argument: the URL.
// Sends "ready" after the first answer, and the latencies in milliseconds at the end.
import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MS = 20;
const MAX_REQUESTS = 10_000;

const [url = ''] = process.argv.slice(2);
const ms: number[] = [];
let stopped = false;
process.on('message', () => {
  stopped = true;
});
while (!stopped && ms.length < MAX_REQUESTS) {
  const started = performance.now();
  const response = await fetch(url);
  await response.arrayBuffer();
  ms.push(response.ok ? performance.now() - started : Number.POSITIVE_INFINITY);
  if (ms.length === 1) process.send?.('ready');
  await sleep(PAUSE_MS);
}
// The first request opens the connection.
process.send?.(ms.slice(1), () => process.disconnect?.());
