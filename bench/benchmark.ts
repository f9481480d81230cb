import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ModelPack } from '../src/packs/pack.ts';
import { LoadGenerator } from './load/load-generator.ts';
import { describeMachine } from './machine.ts';
import { measureClosedLoop, type ScenarioResult } from './measures/closed-loop.ts';
import { measureCompare } from './measures/compare.ts';
import type { GeneratorContext, ServerContext, Servers } from './measures/context.ts';
import { measureHealth } from './measures/health.ts';
import { measureInference } from './measures/inference.ts';
import { type Capacities, measureOpenLoop } from './measures/open-loop.ts';
import { measureOverload } from './measures/overload.ts';
import { compareAnswers, compareFastAnswers } from './measures/request-sets.ts';
import { measureStages } from './measures/stages.ts';
import { measureStart, type Starters } from './measures/start.ts';
import type { Group, PackOptions } from './options.ts';
import { type PicturesBySize, preparePictures } from './pictures/test-pictures.ts';
import { type EmbedPicture, findPack, openPipeline, watchInference } from './pipeline.ts';
import type { LoopWorkerData } from './reference/inference-loop.ts';
import { makeReferenceInputs, type ReferenceInput } from './reference/inputs.ts';
import { ReferenceThreads } from './reference/reference-threads.ts';
import { openRuntime } from './reference/runtime.ts';
import type { Results } from './results.ts';
import { withScratchFolder } from './scratch.ts';
import { findPeer, type Peer, startPeer } from './servers/peer.ts';
import type { ServerProcess } from './servers/server-process.ts';
import { type ServiceOptions, startService } from './servers/service.ts';
import { isStandIn, writeStandIn } from './standins/pack.ts';

/** How long servers may settle before their memory is read. */
const SETTLE_MS = 1_000;
/** The size for the capacity and the open loop. */
const MAIN_SIZE = '250';

const inferenceTimes = watchInference();

type Log = (text: string) => void;
/** Options with a folder for what a run writes and deletes again. */
type RunOptions = PackOptions & ServiceOptions & { scratch: string };

/** Measures everything that the options ask for. @param log reports progress. */
export function runBenchmark(options: PackOptions, log: Log): Promise<Results> {
  return withScratchFolder((scratch) => {
    const { pack, models } = options;
    // Graphs of hundreds of megabytes must not stay behind.
    const prepared = join(scratch, 'prepared');
    if (!isStandIn(pack)) return measurePack({ ...options, scratch, prepared }, log);
    log(`making ${pack}`);
    writeStandIn(pack, { models, target: scratch });
    return measurePack({ ...options, models: scratch, scratch, prepared }, log);
  });
}

async function measurePack(options: RunOptions, log: Log): Promise<Results> {
  const { seconds, sizes, quick, large, scratch } = options;
  const wants = (group: Group) => options.only.includes(group);
  const machine = describeMachine();
  const pack = await findPack(options);
  const synthetic = pack.origin === 'synthetic';
  const peer = options.peer === 'auto' && !synthetic ? findPeer(options.python) : undefined;
  const results: Results = {
    started: new Date().toISOString(),
    plan: planOf(options),
    machine,
    pack: { name: pack.name, large, detector: pack.detector.sha256, recogniser: pack.recogniser.sha256 },
    ...(peer && { peer: { versions: peer.versions } }),
  };

  log('pictures');
  const embed = await openPipeline(pack);
  const pictures = await preparePictures({ sizes, synthetic, photos: options.photos, embed });
  const graphs = { detector: pack.detector.path, recogniser: pack.recogniser.path };
  const inputs = await prepareInputs(pictures, embed);

  if (wants('inference')) {
    log('inference');
    results.inference = await measureInference({ graphs, inputs, seconds });
  }
  if (wants('stages')) {
    log('stages');
    const reference = await openRuntime(graphs, inputs);
    results.stages = await measureStages(pictures, {
      embed,
      inferenceTimes,
      reference,
      seconds: seconds / 2,
    });
  }

  const starters = makeStarters(options, peer, pack);
  const context: GeneratorContext = { pictures, log, generator: new LoadGenerator() };
  try {
    if (wants('closed') || wants('open') || wants('overload') || wants('health'))
      Object.assign(results, await measureServers(context, starters, options, { graphs, inputs }));
    if (wants('compare')) results.compare = await measureCompare(context, options);
    if (wants('start')) {
      log('start');
      const { peer1: _, ...measured } = starters;
      const rounds = quick ? 2 : large ? 3 : 4;
      results.start = await measureStart(measured, { rounds, coldRounds: quick ? 1 : 2, scratch });
    }
  } finally {
    context.generator.close();
  }
  return results;
}

function planOf(options: PackOptions): Results['plan'] {
  const { seconds, slice, quick, sizes, only, serviceEnvironment } = options;
  return { seconds, slice, quick, sizes, only, serviceEnvironment };
}

/** The inputs of the reference, from the first photograph of the first size. */
async function prepareInputs(pictures: PicturesBySize, embed: EmbedPicture): Promise<ReferenceInput[]> {
  const [first] = pictures.values();
  const [picture] = first?.photographs ?? [];
  if (picture === undefined) throw new Error('There is no photograph with a face.');
  const [face] = (await embed(picture, 'largest')).faces;
  if (face === undefined) throw new Error('The first photograph has no face.');
  return makeReferenceInputs(picture, face.box);
}

function makeStarters(options: RunOptions, peer: Peer | undefined, pack: ModelPack): Starters {
  const starters: Starters = { service: (conditions) => startService(options, {}, conditions) };
  if (options.large) {
    starters.service1 = (conditions) => startService(options, { WORKERS: '1' }, conditions);
    starters.service4 = (conditions) => startService(options, { WORKERS: '4' }, conditions);
  }
  if (peer) {
    const ours = { ...peer, detectorPath: pack.detector.path };
    starters.peer2 = ({ sampleMs } = {}) => startPeer({ ...ours, processes: 2, threads: 1, sampleMs });
    starters.peer1 = ({ sampleMs } = {}) => startPeer({ ...ours, processes: 1, sampleMs });
  }
  return starters;
}

/** Starts all servers and measures them in turn. */
async function measureServers(
  generatorContext: GeneratorContext,
  starters: Starters,
  options: PackOptions,
  referenceData: LoopWorkerData,
): Promise<Partial<Results>> {
  const { log } = generatorContext;
  const started: [name: string, server: ServerProcess][] = [];
  let reference: ReferenceThreads | undefined;
  try {
    for (const [name, start] of Object.entries(starters)) {
      log(`starting: ${name}`);
      started.push([name, await start()]);
    }
    await sleep(SETTLE_MS);
    for (const [, server] of started) {
      server.recordMemory('idle');
      server.startMemorySampling();
    }
    reference = await ReferenceThreads.start(referenceData);
    const servers = Object.fromEntries(started) as unknown as Servers;
    const measured = await measureGroups({ ...generatorContext, servers, reference }, options);
    await sleep(SETTLE_MS);
    for (const [, server] of started) server.recordMemory('after');
    const memory = Object.fromEntries(started.map(([name, server]) => [name, server.memory]));
    return { ...measured, memory };
  } finally {
    await reference?.close();
    await Promise.all(started.map(([, server]) => server.stop()));
  }
}

async function measureGroups(context: ServerContext, options: PackOptions): Promise<Partial<Results>> {
  const { seconds, quick, sizes, only, large } = options;
  const { service, peer2 } = context.servers;
  const results: Partial<Results> = {};
  context.log('answers');
  if (peer2) {
    results.sameAnswers = await compareAnswers(context, [service.address, peer2.address], {
      sizes,
      quick: quick || large,
    });
  }
  if (!large) results.fastAnswers = await compareFastAnswers(context, service.address, sizes);
  if (only.includes('closed')) results.closed = await measureClosedLoop(context, options);
  const capacities = capacitiesOf(results.closed);
  if (only.includes('open') && capacities) {
    results.open = await measureOpenLoop(context, { capacities, size: MAIN_SIZE, seconds, quick });
  }
  if (only.includes('overload')) results.overload = await measureOverload(context, options);
  if (only.includes('health')) {
    const loads = sizes.filter((size) => size !== '12mp');
    results.health = await measureHealth(context, { sizes: loads, seconds: seconds / 2 });
  }
  return results;
}

/** Throughput of the service and of the peer with two processes at 8 connections; undefined if it was not measured. */
function capacitiesOf(closed: readonly ScenarioResult[] = []): Capacities | undefined {
  const row = closed.find(
    ({ size, kind, connections }) => size === MAIN_SIZE && kind === 'photographs' && connections === 8,
  );
  if (row === undefined) return undefined;
  const capacities: Capacities = {};
  for (const name of ['service', 'peer2'] as const) {
    const capacity = row.systems[name]?.throughput?.median;
    if (capacity) capacities[name] = capacity;
  }
  return capacities;
}
