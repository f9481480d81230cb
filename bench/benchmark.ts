import { setTimeout as sleep } from 'node:timers/promises';
import { LoadGenerator } from './load/load-generator.ts';
import { describeMachine } from './machine.ts';
import { measureClosedLoop } from './measures/closed-loop.ts';
import { measureColdStart } from './measures/cold-start.ts';
import { measureCompare } from './measures/compare.ts';
import { measureHealth } from './measures/health.ts';
import { measureInference } from './measures/inference.ts';
import { measureOpenLoop } from './measures/open-loop.ts';
import { compareAnswers, compareFastAnswers } from './measures/request-sets.ts';
import { measureStages } from './measures/stages.ts';
import { prepareAlbum } from './pictures/album.ts';
import { findPack, findRewriter, openPipeline, watchInference } from './pipeline.ts';
import { makeReferenceInputs } from './reference/inputs.ts';
import { openRuntime } from './reference/runtime.ts';
import { openTwoThreads } from './reference/two-threads.ts';
import { findPeer, startPeer } from './servers/peer.ts';
import { knowsFastDetection, startService } from './servers/service.ts';

/** Memory is looked at when a server has had time to settle. */
const SETTLE_MS = 1_000;
/** The size that capacity, the open loop and the reference's inputs are about. */
const MAIN_SIZE = '250';

/**
 * One run: all that was asked for, in one go on one machine.
 *
 * @param options of readOptions. @param log for progress.
 * @returns what goes into results.json.
 */
export async function runBenchmark(options, log) {
  const wants = (group) => options.only.includes(group);
  const { pack, models, seconds, slice, quick, serviceEnvironment } = options;
  const results = {
    started: new Date().toISOString(),
    plan: { seconds, slice, quick, sizes: options.sizes, only: options.only, serviceEnvironment },
    machine: describeMachine(),
  };
  const inferenceTime = watchInference();
  const found = await findPack({ pack, models });
  const synthetic = found.origin === 'synthetic';
  results.pack = { name: found.name, detector: found.detector.sha256, recogniser: found.recogniser.sha256 };
  const graphs = { detector: found.detector.path, recogniser: found.recogniser.path };

  log('pictures');
  const embed = await openPipeline(found);
  const findFaces = (bytes) => embed(bytes, 'all');
  const album = await prepareAlbum({ sizes: options.sizes, synthetic, photos: options.photos, findFaces });
  const [picture] = album[options.sizes[0]].photographs;
  const { faces } = await embed(picture, 'largest');
  const inputs = await makeReferenceInputs(picture, faces[0].box);

  if (wants('inference')) {
    log('inference');
    const rewrite = await findRewriter();
    results.inference = await measureInference({ graphs, inputs, rewrite, seconds });
  }
  if (wants('stages')) {
    log('stages');
    const reference = await openRuntime(graphs, inputs);
    results.stages = await measureStages({ album, embed, inferenceTime, reference, seconds: seconds / 2 });
  }

  const peer = options.peer === 'auto' && !synthetic ? findPeer(options.python) : undefined;
  if (peer) results.peer = { versions: peer.versions };
  const start = {
    service: () => startService(options),
    ...(peer && {
      peer2: () => startPeer({ ...peer, pack: found, processes: 2, threads: 1 }),
      peer1: () => startPeer({ ...peer, pack: found, processes: 1 }),
    }),
  };
  const context = { album, log, generator: new LoadGenerator(), systems: {} };
  try {
    if (['closed', 'open', 'health'].some(wants)) {
      await measureServers({ context, start, graphs, inputs, options, results });
    }
    if (wants('compare')) results.compare = await measureCompare(context, options);
    if (wants('start')) {
      log('cold start');
      const { peer1: _, ...starters } = start;
      results.start = await measureColdStart(starters, { rounds: quick ? 2 : 4 });
    }
  } finally {
    context.generator.close();
  }
  return results;
}

/** All that needs the servers up, at the same time, so that they can be measured by turns. */
async function measureServers({ context, start, graphs, inputs, options, results }) {
  const { systems, log } = context;
  const { seconds, quick, sizes } = options;
  const wants = (group) => options.only.includes(group);
  try {
    for (const [name, starter] of Object.entries(start)) {
      log(`starting: ${name}`);
      systems[name] = await starter();
    }
    await sleep(SETTLE_MS);
    for (const server of Object.values(systems)) {
      server.noteMemory('idle');
      server.noteMemory('peak');
    }
    context.hasFast = await knowsFastDetection(systems.service.address);
    context.twoThreads = await openTwoThreads(graphs, inputs);
    log('answers');
    if (systems.peer2) {
      const addresses = [systems.service.address, systems.peer2.address];
      results.sameAnswers = await compareAnswers(context, addresses, { sizes, quick });
    }
    if (context.hasFast)
      results.fastAnswers = await compareFastAnswers(context, systems.service.address, sizes);
    if (wants('closed')) results.closed = await measureClosedLoop(context, options);
    const capacities = capacitiesOf(results.closed);
    if (wants('open') && capacities) {
      results.open = await measureOpenLoop(context, { capacities, size: MAIN_SIZE, seconds, quick });
    }
    if (wants('health')) {
      const loads = sizes.filter((size) => size !== '12mp');
      results.health = await measureHealth(context, { sizes: loads, seconds: seconds / 2 });
    }
    await sleep(SETTLE_MS);
    for (const server of Object.values(systems)) server.noteMemory('after');
    results.memory = Object.fromEntries(Object.entries(systems).map(([name, { memory }]) => [name, memory]));
  } finally {
    await context.twoThreads?.close();
    await Promise.all(Object.values(systems).map((server) => server.stop()));
  }
}

/** What the service and the two-process peer answer a second at 8 connections; undefined where it was not measured. */
function capacitiesOf(closed = []) {
  const duel = closed.find(
    ({ size, kind, connections }) => size === MAIN_SIZE && kind === 'photographs' && connections === 8,
  );
  if (duel === undefined) return undefined;
  const entries = ['service', 'peer2'].map((name) => [name, duel.systems[name]?.throughput.median]);
  return Object.fromEntries(entries.filter(([, capacity]) => capacity > 0));
}
