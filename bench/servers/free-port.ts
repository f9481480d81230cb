import { once } from 'node:events';
import { createServer } from 'node:net';

/** A port that nothing listened on a moment ago, for programs that cannot take any free one by themselves. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
