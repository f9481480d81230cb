import { writeFile } from 'node:fs/promises';
import { errorMessage } from '../../errors.ts';
import { prepareGraph } from './prepare-graph.ts';

// A process of its own, started by prepared-pack.ts with a job as its argument. What goes wrong is the last line on standard error.
try {
  // If memory is short, this process is ended for it, and not the service.
  await writeFile('/proc/self/oom_score_adj', '1000').catch(() => {});
  await prepareGraph(JSON.parse(process.argv[2] ?? ''));
} catch (error) {
  process.stderr.write(`\n${errorMessage(error).replaceAll('\n', ' ')}\n`);
  process.exitCode = 1;
}
