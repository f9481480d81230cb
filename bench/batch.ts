// Batches beside the same photographs one by one: node bench/batch.ts [--images 64] [--connections 8] [--rounds 15]
// Needs a built service, weights and photographs. The three take turns, so that noise of the machine hits all alike.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { post } from './load/client.ts';
import { startService } from './servers/service.ts';
import { median } from './statistics.ts';

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
const [count, connections, rounds] = ['images', 'connections', 'rounds'].map((name) => Number(options[name]));

const photos = readdirSync(options.photos)
  .filter((name) => name.endsWith('.jpg'))
  .slice(0, count)
  .map((name) => readFileSync(join(options.photos, name)).toString('base64'));
const asRequest = (content, headers = {}) => ({
  headers: { 'Content-Type': 'application/json', ...headers },
  body: Buffer.from(JSON.stringify({ ...content, faces: 'largest' })),
});
const singles = photos.map((image) => asRequest({ image }));
const batch = asRequest({ images: photos });
const lines = asRequest({ images: photos }, { Accept: 'application/x-ndjson' });

const service = await startService(options);
const send = async (request) => {
  const { status, code } = await post(service.address, '/v1/embed', request);
  if (status !== 200) throw new Error(`The service answered ${status} ${code}.`);
};
const contestants = {
  singles: async () => {
    const waiting = [...singles];
    const callers = Array.from({ length: connections }, async () => {
      for (let next = waiting.pop(); next; next = waiting.pop()) await send(next);
    });
    await Promise.all(callers);
  },
  batch: () => send(batch),
  lines: () => send(lines),
};
const rates = { singles: [], batch: [], lines: [] };
for (let round = -1; round < rounds; round++) {
  for (const [name, run] of Object.entries(contestants)) {
    const started = performance.now();
    await run();
    // The first round warms up.
    if (round >= 0) rates[name].push((photos.length * 1000) / (performance.now() - started));
  }
}
await service.stop();

const medians = Object.fromEntries(Object.entries(rates).map(([name, list]) => [name, median(list)]));
const ratio = (name) => median(rates[name].map((rate, round) => rate / rates.singles[round])).toFixed(3);
console.log(`${photos.length} photographs, ${rounds} rounds, median photographs a second:`);
console.log(`one by one over ${connections} connections ${medians.singles.toFixed(1)}`);
console.log(`as one batch ${medians.batch.toFixed(1)}, beside one by one ${ratio('batch')}`);
console.log(`as one batch, line by line ${medians.lines.toFixed(1)}, beside one by one ${ratio('lines')}`);
