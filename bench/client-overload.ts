import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { FaceEmbeddingClient } from '../clients/typescript/src/index.ts';
import { PACKAGE_ROOT } from '../src/config/package.ts';
import { drawLines } from './report/curve.ts';

// Draws what a service is offered by clients that together ask for more than it can do: by clients/typescript, and by callers
// who repeat a refused request after a fixed wait. Start a service with few places, and then:
//
//   WORKERS=1 MAX_QUEUE=8 MODEL_NAME=synthetic npm start
//   node tools/run.mjs build/bench/client-overload.js http://localhost:8000

const SECONDS = 40;
const CLIENTS = 20;
const CALLERS = 3;
const FIXED_WAIT_MS = 100;
const DRAWING = 'clients/typescript/overload.svg';

interface Second {
  served: number;
  refused: number;
}

const url = process.argv[2] ?? 'http://localhost:8000';
const noise = { type: 'gaussian', mean: 128, sigma: 30 } as const;
const create = { width: 1600, height: 1200, channels: 3, background: '#888', noise } as const;
const image = new Uint8Array(await sharp({ create }).jpeg().toBuffer());

const clients = Array.from({ length: CLIENTS }, () => new FaceEmbeddingClient({ url, timeoutMs: 120_000 }));
const ours = await observe((caller) => (clients[caller % CLIENTS] as FaceEmbeddingClient).embed(image));
const naive = await observe(repeatAfterFixedWait);

// The mean of what the service took, as the unit of both: figures depend on the machine.
const capacity = ours.slice(10).reduce((sum, { served }) => sum + served, 0) / (SECONDS - 10);
const points = (seconds: Second[], value: (second: Second) => number) =>
  smoothed(seconds.map(value)).map((y, x) => ({ x, y: y / capacity }));
const offered = ({ served, refused }: Second) => served + refused;
const lines = [
  { label: 'offered, this client', colour: '#1a6fb5', dash: '', points: points(ours, offered) },
  { label: 'served', colour: '#1a6fb5', dash: '6 4', points: points(ours, ({ served }) => served) },
  { label: 'offered, fixed wait', colour: '#c2571a', dash: '', points: points(naive, offered) },
  { label: 'served', colour: '#c2571a', dash: '6 4', points: points(naive, ({ served }) => served) },
];
const labels = {
  title: 'Requests to an overloaded service',
  x: 'seconds of overload',
  y: 'requests a second, as a multiple of capacity',
};
writeFileSync(join(fileURLToPath(PACKAGE_ROOT), DRAWING), drawLines(lines, labels));

for (const [name, seconds] of Object.entries({ ours, naive })) {
  const late = seconds.slice(10);
  const served = late.reduce((sum, second) => sum + second.served, 0);
  const refused = late.reduce((sum, second) => sum + second.refused, 0);
  console.log(
    `${name}, after 10 s: ${served} served, ${refused} refused, offered ${1 + refused / served} times`,
  );
}

/** Lets all callers call one after the other for a while; returns what the service answered in each second. */
async function observe(call: (caller: number) => Promise<unknown>): Promise<Second[]> {
  let isOver = false;
  let failed = 0;
  const loops = Array.from({ length: CLIENTS * CALLERS }, async (_, caller) => {
    while (!isOver) await call(caller).catch(() => failed++);
  });
  const seconds: Second[] = [];
  let last = await answered();
  while (seconds.length < SECONDS) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const now = await answered();
    seconds.push({ served: now.served - last.served, refused: now.refused - last.refused });
    last = now;
  }
  isOver = true;
  await Promise.all(loops);
  console.log(`${failed} calls failed`);
  return seconds;
}

async function repeatAfterFixedWait(): Promise<void> {
  for (;;) {
    const headers = { 'Content-Type': 'application/octet-stream' };
    const answer = await fetch(`${url}/v1/embed`, { method: 'POST', headers, body: image });
    await answer.arrayBuffer();
    if (answer.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, FIXED_WAIT_MS));
  }
}

async function answered(): Promise<Second> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const counts = { served: 0, refused: 0 };
  const pattern = /^face_http_requests_total\{route="\/v1\/embed",status="(\d+)"[^}]*\} (\d+)$/gm;
  for (const [, status, count] of text.matchAll(pattern))
    counts[status === '200' ? 'served' : 'refused'] += Number(count);
  return counts;
}

/** The mean of three seconds; not 0, which a logarithmic axis does not have. */
function smoothed(values: number[]): number[] {
  return values.map((_, at) => {
    const near = values.slice(Math.max(0, at - 1), at + 2);
    return Math.max(0.5, near.reduce((sum, value) => sum + value, 0) / near.length);
  });
}
