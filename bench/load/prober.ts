// Asks for the service's health again and again, in a process of its own, until it is told to stop.
// Argument: the URL; says "ready", and answers the message "stop" with the milliseconds of each.
import { setTimeout as sleep } from 'node:timers/promises';

const [url] = process.argv.slice(2);
const PAUSE_MS = 20;
const MOST = 10_000;
const ms = [];
let stopped = false;
process.on('message', () => {
  stopped = true;
});
while (!stopped && ms.length < MOST) {
  const started = performance.now();
  const response = await fetch(url);
  await response.arrayBuffer();
  ms.push(response.ok ? performance.now() - started : Number.POSITIVE_INFINITY);
  if (ms.length === 1) process.send('ready');
  await sleep(PAUSE_MS);
}
// The first one opens the connection.
process.send(ms.slice(1), () => process.disconnect());
