import { prepareGraph } from './prepare-graph.ts';

// A process of its own, started by prepared-pack.ts with a job as its argument.
await prepareGraph(JSON.parse(process.argv[2] ?? ''));
