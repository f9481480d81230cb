// Runs the real HAProxy with haproxy.cfg, unchanged, before two real replicas (synthetic pack) and looks at what callers see:
// balancing, retries, a rolling restart, a killed replica. Needs haproxy and "npm run build"; takes about a minute.
//
//   node deploy/haproxy/trial.ts
//
// A small DNS server plays Docker's: the replicas have addresses of their own (127.0.0.2 and so on) and share a port.
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { freePort } from '../../bench/servers/free-port.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const service = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const cwd = mkdtempSync(join(tmpdir(), 'balancer-'));

/** What is sent: a bright disc, which the synthetic pack takes for a face. One that HAProxy can send again, one that it cannot. */
const disc = (side, quality) => {
  const pixels = Buffer.alloc(side * side * 3);
  for (let i = 0; i < side * side; i++) {
    const inside = Math.hypot((i % side) - side / 2, Math.floor(i / side) - side / 2) < side / 4;
    pixels.set(inside ? [240, 200, 180] : [20, (i * 7919) % 61, 60], i * 3);
  }
  return sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
    .jpeg({ quality })
    .toBuffer();
};

/** Answers every A query with all addresses of the set, every other query with none. */
async function nameServer(addresses) {
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    let end = 12;
    while (query[end] !== 0) end += query[end] + 1;
    const question = query.subarray(12, end + 5);
    const answers = query.readUInt16BE(end + 1) === 1 ? [...addresses] : [];
    const header = Buffer.from([query[0], query[1], 0x81, 0x80, 0, 1, 0, answers.length, 0, 0, 0, 0]);
    // A pointer to the name in the question, type A, class IN, 5 s to live, 4 bytes.
    const records = answers.map((address) =>
      Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, ...address.split('.').map(Number)]),
    );
    socket.send(Buffer.concat([header, question, ...records]), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

function ask({
  host = '127.0.0.1',
  port,
  path = '/v1/embed?encoding_format=base64',
  body,
  headers = {},
  agent,
  signal,
}) {
  return new Promise((resolve, reject) => {
    const options = { host, port, path, agent, signal, headers, method: body ? 'POST' : 'GET' };
    if (body)
      Object.assign(headers, { 'content-type': 'application/octet-stream', 'content-length': body.length });
    request(options, async (response) => {
      try {
        const text = Buffer.concat(await response.toArray()).toString();
        resolve({ status: response.statusCode, headers: response.headers, text });
      } catch (error) {
        reject(error);
      }
    })
      .on('error', reject)
      .end(body);
  });
}

async function until(what, condition, limit = 30_000) {
  for (const end = Date.now() + limit; Date.now() < end; await sleep(50)) {
    if (await condition()) return;
  }
  throw new Error(`Not within ${limit} ms: ${what}.`);
}

class Replica {
  constructor(host, port) {
    this.host = host;
    this.port = port;
  }

  start() {
    this.process = spawn(process.execPath, [service], {
      cwd,
      env: {
        PATH: process.env.PATH,
        MODEL_NAME: 'synthetic',
        WORKERS: '1',
        LOG_LEVEL: 'error',
        HOST: this.host,
        PORT: String(this.port),
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    this.ended = once(this.process, 'exit');
    return until(`${this.host} is ready`, async () => {
      const answer = await ask({ host: this.host, port: this.port, path: '/readyz' }).catch(() => undefined);
      return answer?.status === 200;
    });
  }

  async end(signal) {
    this.process.kill(signal);
    const [code] = await this.ended;
    return code;
  }
}

/** Callers that each keep their connection and ask again and again, a little apart, until told to stop. */
function steadyLoad(port, bodies, callers = 4) {
  const agent = new Agent({ keepAlive: true, maxSockets: callers });
  const seen = { total: 0, failed: [] };
  let going = true;
  const caller = async (number) => {
    while (going) {
      const body = bodies[(number + seen.total) % bodies.length];
      const answer = await ask({ port, body, agent }).catch((error) => ({
        status: error.code,
        text: error.message,
      }));
      seen.total++;
      if (answer.status !== 200) seen.failed.push(`${answer.status} ${answer.text.slice(0, 200)}`);
      await sleep(5);
    }
  };
  const ended = Promise.all(Array.from({ length: callers }, (_, number) => caller(number)));
  return {
    seen,
    async stop() {
      going = false;
      await ended;
      agent.destroy();
      return seen;
    },
  };
}

/** Speaks for a replica: ready, and answers /v1/ as it is told. */
async function standIn(host, port, handle) {
  const server = createServer((incoming, outgoing) => {
    if (incoming.url.endsWith('/readyz')) outgoing.end('{}');
    else handle(incoming, outgoing);
  }).listen(port, host);
  await once(server, 'listening');
  return server;
}

let problems = 0;
const report = (fine, text) => {
  if (!fine) problems++;
  console.log(`${fine ? 'ok  ' : 'FAILED: '}${text}`);
};

const started = [];
const addresses = new Set();
const names = await nameServer(addresses);
const [callerPort, statsPort, replicaPort] = [await freePort(), await freePort(), await freePort()];
const balancer = spawn('haproxy', ['-db', '-f', join(here, 'haproxy.cfg')], {
  env: {
    PATH: process.env.PATH,
    BIND: `127.0.0.1:${callerPort}`,
    STATS_BIND: `127.0.0.1:${statsPort}`,
    REPLICA_HOST: 'replica.test',
    REPLICA_PORT: String(replicaPort),
    MAX_REPLICAS: '4',
    DNS_SERVER: `127.0.0.1:${names.address().port}`,
  },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const log = [];
balancer.stdout
  .setEncoding('utf8')
  .on('data', (text) => log.push(...text.split('\n').filter((line) => line.startsWith('{'))));

/** How many servers are up, by the balancer's own statistics. */
const up = async () => {
  const { text } = await ask({ port: statsPort, path: '/;csv' });
  return text.split('\n').filter((line) => /^replicas,replica\d+,.*,UP,/.test(line)).length;
};
const served = async () => {
  const { text } = await ask({ port: statsPort, path: '/;csv' });
  const lines = text.split('\n').filter((line) => /^replicas,replica\d+,/.test(line));
  return lines.map((line) => Number(line.split(',')[7])).filter((count) => count > 0);
};

try {
  const small = await disc(160, 60);
  const large = await disc(900, 95);
  if (small.length > 12_000 || large.length < 40_000)
    throw new Error(`${small.length} and ${large.length} bytes`);
  await until('the balancer listens', () =>
    ask({ port: statsPort, path: '/' }).then(
      () => true,
      () => false,
    ),
  );

  const nobody = await ask({ port: callerPort, body: small, headers: { 'x-request-id': 'trial-1' } });
  report(
    nobody.status === 503 &&
      JSON.parse(nobody.text).request_id === 'trial-1' &&
      nobody.headers['retry-after'] === '5',
    `no replica: ${nobody.status} ${nobody.text}`,
  );
  const unwell = await ask({ port: statsPort, path: '/readyz' });
  report(unwell.status === 503, `no replica: the balancer's own /readyz answers ${unwell.status}`);

  const replicas = [new Replica('127.0.0.2', replicaPort), new Replica('127.0.0.3', replicaPort)];
  started.push(...replicas);
  await Promise.all(replicas.map((replica) => replica.start()));
  for (const { host } of replicas) addresses.add(host);
  await until('both are up', async () => (await up()) === 2);
  report(
    (await ask({ port: statsPort, path: '/readyz' })).status === 200,
    'two replicas were found by name and are up',
  );

  const own = await ask({ port: callerPort, body: small, headers: { 'x-request-id': 'trial-2' } });
  const made = await ask({ port: callerPort, body: small, headers: { 'x-request-id': 'no "good" id' } });
  report(
    own.status === 200 && own.headers['x-request-id'] === 'trial-2',
    'the request id of the caller comes back',
  );
  report(/^[0-9a-f-]{36}$/.test(made.headers['x-request-id']), 'an unusable one is replaced');

  let load = steadyLoad(callerPort, [small, large]);
  await sleep(4_000);
  let { total, failed } = await load.stop();
  report(
    failed.length === 0,
    `steady load: ${total} requests, ${failed.length} failed, by replica ${await served()}`,
  );

  load = steadyLoad(callerPort, [small, large]);
  await sleep(1_000);
  for (const replica of replicas) {
    const code = await replica.end('SIGTERM');
    report(code === 0, `${replica.host} ended on SIGTERM with ${code}`);
    addresses.delete(replica.host);
    await sleep(1_000);
    await replica.start();
    addresses.add(replica.host);
    await until('both are up again', async () => (await up()) === 2);
  }
  ({ total, failed } = await load.stop());
  report(
    failed.length === 0,
    `rolling restart: ${total} requests, ${failed.length} failed${failed.length ? `: ${failed[0]}` : ''}`,
  );

  load = steadyLoad(callerPort, [small, large]);
  await sleep(1_000);
  await replicas[0].end('SIGKILL');
  await sleep(3_000);
  await replicas[0].start();
  await until('both are up again', async () => (await up()) === 2);
  ({ total, failed } = await load.stop());
  // HAProxy closes the caller's connection without a word where that has had an answer before: an invitation to ask again.
  const expected = failed.every((text) => text.startsWith('502 {"error"') || text.startsWith('ECONNRESET'));
  report(
    failed.length <= 4 && expected,
    `one replica killed: ${total} requests, ${failed.length} failed (4 callers: at most 4 in flight) ${failed[0] ?? ''}`,
  );

  await Promise.all(replicas.map((replica) => replica.end('SIGTERM')));
  addresses.clear();
  await until('both are gone', async () => (await up()) === 0);

  const asked = { full: 0, free: 0 };
  const full = await standIn('127.0.0.4', replicaPort, (incoming, outgoing) => {
    asked.full++;
    outgoing.writeHead(503, { 'retry-after': '7', 'content-type': 'application/json', connection: 'close' });
    outgoing.end('{"error_code":"OVERLOADED"}');
    incoming.resume();
  });
  const free = await standIn('127.0.0.5', replicaPort, (incoming, outgoing) => {
    asked.free++;
    incoming.resume().on('end', () => outgoing.end('{}'));
  });
  addresses.add('127.0.0.4').add('127.0.0.5');
  await until('both stand-ins are up', async () => (await up()) === 2);
  const answers = { small: [], large: [] };
  for (let i = 0; i < 20; i++) answers.small.push(await ask({ port: callerPort, body: small }));
  const askedSmall = asked.full;
  for (let i = 0; i < 20; i++) answers.large.push(await ask({ port: callerPort, body: large }));
  const refused = (list) => list.filter(({ status }) => status === 503);
  report(
    refused(answers.small).length === 0 && askedSmall > 0,
    `a full replica: ${refused(answers.small).length} of 20 small requests refused, ${askedSmall} were sent to it and then again`,
  );
  report(
    refused(answers.large).every(
      ({ headers, text }) => headers['retry-after'] === '7' && text.includes('OVERLOADED'),
    ),
    `a full replica: ${refused(answers.large).length} of 20 large requests got its 503, Retry-After included`,
  );
  addresses.delete('127.0.0.5');
  free.close();
  free.closeAllConnections();
  await until('one is left', async () => (await up()) === 1);
  asked.full = 0;
  const all = await ask({ port: callerPort, body: small });
  report(
    all.status === 503 && all.headers['retry-after'] === '7' && asked.full <= 3,
    `all full: asked ${asked.full} times, then ${all.status} with the replica's own answer`,
  );
  addresses.clear();
  full.close();
  full.closeAllConnections();
  await until('none is left', async () => (await up()) === 0);

  let gone = false;
  const slow = await standIn('127.0.0.6', replicaPort, (incoming, outgoing) => {
    incoming.resume();
    outgoing.on('close', () => {
      gone = true;
    });
  });
  addresses.add('127.0.0.6');
  await until('the slow one is up', async () => (await up()) === 1);
  const hangUp = new AbortController();
  const waiting = ask({ port: callerPort, body: small, signal: hangUp.signal }).catch(() => {});
  await sleep(300);
  hangUp.abort();
  await waiting;
  await until('the hang-up reached the replica', () => gone, 3_000).catch(() => {});
  report(gone, 'a caller who hangs up is gone for the replica too');
  slow.close();
  slow.closeAllConnections();

  const metrics = await ask({ port: statsPort, path: '/metrics' });
  report(metrics.text.includes('haproxy_backend_retry_warnings_total'), 'the balancer has metrics');
  report(
    log.every((line) => JSON.parse(line) && !line.includes('?')),
    `${log.length} log lines, all JSON, none with a query`,
  );
} catch (error) {
  report(false, error.stack);
} finally {
  for (const { process: child } of started) child?.kill('SIGKILL');
  balancer.kill('SIGKILL');
  names.close();
}
process.exit(problems === 0 ? 0 : 1);
