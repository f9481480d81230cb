import { setImmediate } from 'node:timers/promises';
import { assertOpenFiles } from './config/open-files.ts';
import { StartupError } from './errors.ts';
import { installErrorHandler, reportFatal } from './process/fatal.ts';
import { installSignalHandlers } from './process/signals.ts';

/** The process. Signals and errors have handlers before the rest of the program is read, which takes a third of a second. */
installSignalHandlers();
installErrorHandler();
try {
  assertOpenFiles();
  const { start } = await import('./process/start.ts');
  // Signals and errors of meanwhile: from Node 22 on, modules are read without a turn of the event loop, which handles them.
  await setImmediate();
  await start();
} catch (error) {
  if (error instanceof StartupError) process.stderr.write(`${error.message}\n`);
  else reportFatal(error, 'the service could not start');
  process.exit(1);
}
