// The load generator, in a process of its own: neither the server nor the benchmark's own work can hold it up.
// Messages: {id, kind: 'prepare' | 'closed' | 'open', …}; each is answered with {id, result}.
import { readFileSync } from 'node:fs';
import { post } from './client.ts';
import { runClosedLoop } from './closed-loop.ts';
import { runOpenLoop } from './open-loop.ts';

/** Name → [{headers, body}], sent by turns. */
const sets = new Map();

const actions = {
  prepare({ set, requests }) {
    const read = ({ headers, bodyFile }) => ({ headers, body: readFileSync(bodyFile) });
    sets.set(set, requests.map(read));
  },
  closed: (job) => runClosedLoop({ ...job, send: sender(job) }),
  open: (job) => runOpenLoop({ ...job, send: sender(job) }),
};

function sender({ address, path, set }) {
  const requests = sets.get(set);
  return (index) => post(address, path, requests[index % requests.length]);
}

process.on('message', async ({ id, kind, ...job }) => {
  try {
    process.send({ id, result: await actions[kind](job) });
  } catch (error) {
    process.send({ id, error: error.message });
  }
});
process.on('disconnect', () => process.exit(0));
