import { readEnvironment } from '../config/load.ts';
import { runModelsCommand } from './models/command.ts';

// An interrupted download leaves no lock and no temporary file, and goes on with the next attempt.
const interruption = new AbortController();
for (const event of ['SIGINT', 'SIGTERM'] as const) process.once(event, () => interruption.abort());

process.exitCode = await runModelsCommand(process.argv.slice(2), {
  environment: readEnvironment(),
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interruption.signal,
});
