import { StartupError } from './errors.ts';
import { installErrorHandler, reportFatal } from './process/fatal.ts';
import { installSignalHandlers } from './process/signals.ts';

/** The process. Signals and errors have handlers before the rest of the program is read, which takes a third of a second. */
installSignalHandlers();
installErrorHandler();
try {
  const { start } = await import('./process/start.ts');
  await start();
} catch (error) {
  if (error instanceof StartupError) process.stderr.write(`${error.message}\n`);
  else reportFatal(error, 'the service could not start');
  process.exit(1);
}
