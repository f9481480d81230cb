// Runs HAProxy with the shipped haproxy.cfg in front of two replicas (synthetic pack) and checks what callers receive:
// balancing, retries, a rolling restart, a killed replica. Needs haproxy; takes about a minute.
//
//   node tools/run.mjs build/deploy/haproxy/trial.js
//
// A small DNS server takes the place of Docker's: the replicas have addresses of their own (127.0.0.2 and so on) and the
// same port.

import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { Balancer } from './trial/balancer.ts';
import { type Answer, send, waitUntil } from './trial/http-client.ts';
import { Replica, startStandIn, stopStandIn } from './trial/replicas.ts';
import { startLoad } from './trial/steady-load.ts';

/** A bright disc, which the synthetic pack detects as a face. */
function drawDisc(side: number, quality: number): Promise<Buffer> {
  const pixels = Buffer.alloc(side * side * 3);
  for (let i = 0; i < side * side; i++) {
    const inside = Math.hypot((i % side) - side / 2, Math.floor(i / side) - side / 2) < side / 4;
    pixels.set(inside ? [240, 200, 180] : [20, (i * 7919) % 61, 60], i * 3);
  }
  return sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
    .jpeg({ quality })
    .toBuffer();
}

/** HAProxy can repeat a request that fits into its buffer of 16 KiB, and no larger one. */
const small = await drawDisc(160, 60);
const large = await drawDisc(900, 95);
if (small.length > 12_000 || large.length < 40_000)
  throw new Error(`The images have ${small.length} and ${large.length} bytes.`);

let failedChecks = 0;
function report(passed: boolean, text: string): void {
  if (!passed) failedChecks++;
  console.log(`${passed ? 'ok  ' : 'FAILED: '}${text}`);
}

const balancer = await Balancer.start();
const { port, statsPort, replicaPort, addresses } = balancer;
const replicas = [new Replica('127.0.0.2', replicaPort), new Replica('127.0.0.3', replicaPort)] as const;

async function checkWithoutReplicas(): Promise<void> {
  const answer = await send({ port, body: small, headers: { 'x-request-id': 'trial-1' } });
  const hasOwnId = JSON.parse(answer.text).request_id === 'trial-1';
  report(
    answer.status === 503 && hasOwnId && answer.headers['retry-after'] === '5',
    `no replica: ${answer.status} ${answer.text}`,
  );
  const { status } = await send({ port: statsPort, path: '/readyz' });
  report(status === 503, `no replica: the balancer's own /readyz answers ${status}`);
}

async function checkDiscovery(): Promise<void> {
  await Promise.all(replicas.map((replica) => replica.start()));
  for (const { host } of replicas) addresses.add(host);
  await balancer.waitForReplicas(2);
  const { status } = await send({ port: statsPort, path: '/readyz' });
  report(status === 200, 'two replicas were found by name and are up');
}

async function checkRequestIds(): Promise<void> {
  const valid = await send({ port, body: small, headers: { 'x-request-id': 'trial-2' } });
  report(
    valid.status === 200 && valid.headers['x-request-id'] === 'trial-2',
    "the caller's request id comes back",
  );
  const invalid = await send({ port, body: small, headers: { 'x-request-id': 'no "good" id' } });
  report(
    /^[0-9a-f-]{36}$/.test(String(invalid.headers['x-request-id'])),
    'an invalid request id is replaced',
  );
}

async function checkSteadyLoad(): Promise<void> {
  const load = startLoad(port, [small, large]);
  await sleep(4_000);
  const { total, failures } = await load.stop();
  const counts = await balancer.requestCounts();
  report(
    failures.length === 0,
    `steady load: ${total} requests, ${failures.length} failed, by replica ${counts}`,
  );
}

async function checkRollingRestart(): Promise<void> {
  const load = startLoad(port, [small, large]);
  await sleep(1_000);
  for (const replica of replicas) {
    const code = await replica.end('SIGTERM');
    report(code === 0, `${replica.host} ended on SIGTERM with ${code}`);
    addresses.delete(replica.host);
    await sleep(1_000);
    await replica.start();
    addresses.add(replica.host);
    await balancer.waitForReplicas(2);
  }
  const { total, failures } = await load.stop();
  report(
    failures.length === 0,
    `rolling restart: ${total} requests, ${failures.length} failed ${failures[0] ?? ''}`,
  );
}

async function checkKilledReplica(): Promise<void> {
  const load = startLoad(port, [small, large]);
  await sleep(1_000);
  await replicas[0].end('SIGKILL');
  await sleep(3_000);
  await replicas[0].start();
  await balancer.waitForReplicas(2);
  const { total, failures } = await load.stop();
  // HAProxy closes a kept connection without an answer: HTTP then expects the caller to repeat the request.
  const expected = failures.every((text) => text.startsWith('502 {"error"') || text.startsWith('ECONNRESET'));
  report(
    failures.length <= 4 && expected,
    `one replica killed: ${total} requests, ${failures.length} failed (4 callers: at most 4 in flight) ${failures[0] ?? ''}`,
  );
}

async function endReplicas(): Promise<void> {
  await Promise.all(replicas.map((replica) => replica.end('SIGTERM')));
  addresses.clear();
  await balancer.waitForReplicas(0);
}

async function checkFullReplicas(): Promise<void> {
  let requestsToFull = 0;
  const full = await startStandIn('127.0.0.4', replicaPort, (incoming, outgoing) => {
    requestsToFull++;
    outgoing.writeHead(503, { 'retry-after': '7', 'content-type': 'application/json', connection: 'close' });
    outgoing.end('{"error_code":"OVERLOADED"}');
    incoming.resume();
  });
  const free = await startStandIn('127.0.0.5', replicaPort, (incoming, outgoing) => {
    incoming.resume().on('end', () => outgoing.end('{}'));
  });
  addresses.add('127.0.0.4').add('127.0.0.5');
  await balancer.waitForReplicas(2);

  const refusedSmall = await sendTwenty(small);
  report(
    refusedSmall.length === 0 && requestsToFull > 0,
    `a full replica: ${refusedSmall.length} of 20 small requests refused, ${requestsToFull} were sent to it and repeated`,
  );
  const refusedLarge = await sendTwenty(large);
  report(
    refusedLarge.every(isAnswerOfReplica),
    `a full replica: ${refusedLarge.length} of 20 large requests got its 503, Retry-After included`,
  );

  addresses.delete('127.0.0.5');
  stopStandIn(free);
  await balancer.waitForReplicas(1);
  requestsToFull = 0;
  const answer = await send({ port, body: small });
  report(
    answer.status === 503 && isAnswerOfReplica(answer) && requestsToFull <= 3,
    `all full: asked ${requestsToFull} times, then ${answer.status} with the replica's own answer`,
  );
  addresses.clear();
  stopStandIn(full);
  await balancer.waitForReplicas(0);
}

/** @returns the answers with status 503. */
async function sendTwenty(body: Buffer): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let i = 0; i < 20; i++) answers.push(await send({ port, body }));
  return answers.filter(({ status }) => status === 503);
}

function isAnswerOfReplica({ headers, text }: Answer): boolean {
  return headers['retry-after'] === '7' && text.includes('OVERLOADED');
}

async function checkDisconnect(): Promise<void> {
  let closed = false;
  const slow = await startStandIn('127.0.0.6', replicaPort, (incoming, outgoing) => {
    incoming.resume();
    outgoing.on('close', () => {
      closed = true;
    });
  });
  addresses.add('127.0.0.6');
  await balancer.waitForReplicas(1);
  const disconnect = new AbortController();
  const answer = send({ port, body: small, signal: disconnect.signal }).catch(() => undefined);
  await sleep(300);
  disconnect.abort();
  await answer;
  await waitUntil('the replica loses the connection', () => closed, 3_000).catch(() => undefined);
  report(closed, 'the replica notices when a caller disconnects');
  stopStandIn(slow);
}

async function checkObservability(): Promise<void> {
  const { text } = await send({ port: statsPort, path: '/metrics' });
  report(text.includes('haproxy_backend_retry_warnings_total'), 'the balancer has metrics');
  const { logLines } = balancer;
  report(
    logLines.every((line) => JSON.parse(line) && !line.includes('?')),
    `${logLines.length} log lines, all JSON, none with a query`,
  );
}

try {
  await checkWithoutReplicas();
  await checkDiscovery();
  await checkRequestIds();
  await checkSteadyLoad();
  await checkRollingRestart();
  await checkKilledReplica();
  await endReplicas();
  await checkFullReplicas();
  await checkDisconnect();
  await checkObservability();
} catch (error) {
  report(false, String(error instanceof Error ? error.stack : error));
} finally {
  for (const replica of replicas) await replica.end('SIGKILL');
  balancer.stop();
}
process.exit(failedChecks === 0 ? 0 : 1);
