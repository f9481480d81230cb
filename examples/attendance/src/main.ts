import { serve } from '@hono/node-server';
import { FaceEmbeddingClient } from 'face-embedding-client';
import { purge } from './audit.ts';
import { openDatabase } from './database.ts';
import { createApp } from './server.ts';
import { readSettings } from './settings.ts';

const DAY_MS = 86_400_000;
/** How long answers that are under way may take. Docker waits for ten seconds. */
const GRACE_MS = 8000;

const settings = readSettings(process.env);
const database = await openDatabase(settings.databaseUrl, settings.dataDir);
// Somebody waits in front of the camera: ten seconds with all retries.
const options = { apiKey: settings.faceApiKey, timeoutMs: 10_000 };
const urls = [settings.faceUrl, settings.previousFaceUrl].filter((url) => url !== undefined);
const services = urls.map((url) => new FaceEmbeddingClient({ url, ...options }));
const app = createApp({ settings, database, services });

const tidy = () => purge(database, settings.auditDays).catch(({ message }) => console.error(message));
await tidy();
setInterval(tidy, DAY_MS).unref();

const server = serve({ fetch: app.fetch, hostname: settings.host, port: settings.port }, ({ port }) => {
  console.log(`http://${settings.host}:${port}`);
});
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    server.close(() => void database.close());
    // A connection on which nothing is asked, such as browsers keep in reserve, would hold it up.
    setTimeout(() => 'closeAllConnections' in server && server.closeAllConnections(), GRACE_MS).unref();
  });
