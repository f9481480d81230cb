// Compares the throughput of a batch with that of the same photographs in single requests:
//
//   node tools/run.mjs build/bench/batch.js [--images 64] [--connections 8] [--rounds 15]
//
// Needs weights and photographs.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { interleave, timed } from './interleave.ts';
import { type PostRequest, post } from './load/client.ts';
import { startService } from './servers/service.ts';
import { median, ratiosOfPairs } from './statistics.ts';

const { values: options } = parseArgs({
  options: {
    pack: { type: 'string', default: 'buffalo_sc_dq' },
    models: { type: 'string', default: '../shared/models' },
    photos: { type: 'string', default: '../shared/faces/lfw' },
    images: { type: 'string', default: '64' },
    connections: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '15' },
  },
});
const connections = Number(options.connections);
const rounds = Number(options.rounds);

const photos = readdirSync(options.photos)
  .filter((name) => name.endsWith('.jpg'))
  .slice(0, Number(options.images))
  .map((name) => readFileSync(join(options.photos, name)).toString('base64'));
const embedRequest = (content: object, headers: Record<string, string> = {}): PostRequest => ({
  headers: { 'Content-Type': 'application/json', ...headers },
  body: Buffer.from(JSON.stringify({ ...content, faces: 'largest' })),
});
const singles = photos.map((image) => embedRequest({ image }));
const batch = embedRequest({ images: photos });
const lines = embedRequest({ images: photos }, { Accept: 'application/x-ndjson' });

const service = await startService(options);

async function send(request: PostRequest): Promise<void> {
  const { status, code } = await post(service.address, '/v1/embed', request);
  if (status !== 200) throw new Error(`The service answered ${status} ${code}.`);
}

async function sendSingles(): Promise<void> {
  const waiting = [...singles];
  const callers = Array.from({ length: connections }, async () => {
    for (let next = waiting.pop(); next; next = waiting.pop()) await send(next);
  });
  await Promise.all(callers);
}

/** Photographs per second. */
const rateOf = (work: () => Promise<void>) => async () => (photos.length * 1000) / (await timed(work));
const measures = {
  singles: rateOf(sendSingles),
  batch: rateOf(() => send(batch)),
  lines: rateOf(() => send(lines)),
};
// Warms up.
await interleave(measures, { minRounds: 1, maxRounds: 1 });
const rates = await interleave(measures, { minRounds: rounds, maxRounds: rounds });
await service.stop();

const rate = (name: keyof typeof rates) => median(rates[name])?.toFixed(1);
const ratio = (name: keyof typeof rates) => median(ratiosOfPairs(rates[name], rates.singles))?.toFixed(3);
console.log(`${photos.length} photographs, ${rounds} rounds, median photographs per second:`);
console.log(`single requests over ${connections} connections: ${rate('singles')}`);
console.log(`one batch: ${rate('batch')}, ratio to single requests ${ratio('batch')}`);
console.log(`one batch, line by line: ${rate('lines')}, ratio to single requests ${ratio('lines')}`);
