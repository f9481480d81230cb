import { readEnvironment } from '../config/load.ts';
import { runModelsCommand } from './models/command.ts';

// An interrupted command releases its lock and keeps what was downloaded, so that the next one can continue.
const interruption = new AbortController();
for (const event of ['SIGINT', 'SIGTERM'] as const) process.once(event, () => interruption.abort());

process.exitCode = await runModelsCommand(process.argv.slice(2), {
  environment: readEnvironment(),
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interruption.signal,
});
