import { pipeline } from 'node:stream/promises';
import { readEnvironment } from '../config/load.ts';
import { errorMessage, StartupError } from '../errors.ts';
import { readOptions, USAGE } from './rekey/options.ts';
import { RekeyError } from './rekey/rekey-error.ts';
import { rekeyLines } from './rekey/rekey-lines.ts';

// npm run rekey: turns stored embeddings of one key into those of another, from standard input to standard output.

/** Exit codes. */
const FAILED = 1;
const WRONG_USAGE = 2;
/** As shells report a program that Ctrl-C ended. */
const INTERRUPTED = 130;

const nameOf = (key: { name: string } | undefined) => key?.name ?? 'plain';

async function run(): Promise<void> {
  const options = readOptions(process.argv.slice(2), readEnvironment());
  if (options === undefined) {
    console.log(USAGE);
    return;
  }
  const interruption = new AbortController();
  const { signal } = interruption;
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interruption.abort());
  const progress = { lines: 0 };
  try {
    // pipeline() reads no faster than standard output is written.
    await pipeline(process.stdin, (input) => rekeyLines(input, options, progress), process.stdout, {
      signal,
    });
    console.error(`${progress.lines} embeddings, from ${nameOf(options.from)} to ${nameOf(options.to)}.`);
  } catch (error) {
    process.exitCode = signal.aborted ? INTERRUPTED : FAILED;
    const reason = signal.aborted ? 'Interrupted.' : reasonOf(error);
    console.error(`${reason} ${progress.lines} embeddings were rekeyed before.`);
  }
}

/** An unexpected error may quote a line. */
function reasonOf(error: unknown): string {
  if (error instanceof RekeyError) return error.message;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EPIPE') return 'Standard output was closed.';
  return `Standard input or output failed${code ? ` (${code})` : ''}.`;
}

try {
  await run();
} catch (error) {
  if (!(error instanceof RekeyError || error instanceof StartupError)) throw error;
  console.error(`${errorMessage(error)}\n\n${USAGE}`);
  process.exitCode = WRONG_USAGE;
}
