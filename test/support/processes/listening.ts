import type { Config } from '../../../src/config/settings.ts';
import type { FaceEngine } from '../../../src/engine/engine.ts';
import { listen } from '../../../src/http/server.ts';
import type { RouteDependencies } from '../../../src/routes/api.ts';
import { assembleApp } from '../http/app.ts';

/** The application on a port of its own, in the test's process. */
export async function listenWith(
  config: Config,
  engine: FaceEngine,
  replaced: Partial<RouteDependencies> = {},
) {
  const parts = assembleApp(config, engine, replaced);
  const address = { host: '127.0.0.1', port: 0, setting: 'PORT' } as const;
  const server = await listen(parts.app, address, parts);
  return {
    ...parts,
    port: server.port,
    url: `http://127.0.0.1:${server.port}`,
    /** Disconnects clients that have not sent their request or read their answer after a second. */
    close: async () => {
      await server.close(1);
      await parts.json.close();
    },
  };
}
