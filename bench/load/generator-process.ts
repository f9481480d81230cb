// The load generator runs in a process of its own, so that neither the server nor the benchmark's other work delays it.
import { readFileSync } from 'node:fs';
import { type PostRequest, post } from './client.ts';
import { runClosedLoop, type Send } from './closed-loop.ts';
import type { Command, Reply, Target } from './load-generator.ts';
import { runOpenLoop } from './open-loop.ts';

/** Name → requests, sent in turn. */
const sets = new Map<string, PostRequest[]>();

function execute(command: Command): unknown {
  switch (command.kind) {
    case 'prepare':
      sets.set(
        command.set,
        command.files.map(({ headers, bodyFile }) => ({ headers, body: readFileSync(bodyFile) })),
      );
      return undefined;
    case 'closed':
      return runClosedLoop({ ...command, send: senderOf(command) });
    case 'open':
      return runOpenLoop({ ...command, send: senderOf(command) });
  }
}

function senderOf({ address, path, set }: Target): Send {
  const requests = sets.get(set) ?? [];
  return (index) => post(address, path, requests[index % requests.length] as PostRequest);
}

const reply = (message: Reply) => process.send?.(message);

process.on('message', async ({ id, command }: { id: number; command: Command }) => {
  try {
    reply({ id, result: await execute(command) });
  } catch (error) {
    reply({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
process.on('disconnect', () => process.exit(0));
