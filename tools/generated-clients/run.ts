// Generates clients from the document of a running service with four generators, compiles them and makes the calls that a
// developer would write. Exits with 1 when one fails. A generator that cannot be had is reported and is no failure.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { builtFile } from '../../src/config/package.ts';
import { errorMessage } from '../../src/errors.ts';
import { EXAMPLE_PICTURES } from '../../src/routes/document/example-pictures.ts';
import { type Place, run } from './command.ts';
import { GENERATORS, type Generator } from './generators.ts';

const CALLS = ['json', 'form', 'bytes', 'batch', 'compare', 'error'] as const;
/** What the generators of TypeScript need. */
const NODE = { major: 22, minor: 18 };
const NEW_NODE = 24;
const START_MS = 60_000;

type Outcome = { missing: string } | { failure: string } | { calls: Map<string, string | undefined> };

const work = mkdtempSync(join(tmpdir(), 'generated-clients-'));
let service: ChildProcess | undefined;
try {
  const node = await newNode();
  const { child, baseUrl } = await startService();
  service = child;
  const document = await (await fetch(`${baseUrl}/openapi.json`)).text();
  const outcomes = new Map<Generator, Outcome>();
  for (const [index, generator] of GENERATORS.entries()) {
    process.stderr.write(`${generator.name} …\n`);
    const folder = join(work, String(index));
    mkdirSync(folder);
    const [picture] = EXAMPLE_PICTURES;
    writeFileSync(join(folder, 'openapi.json'), document);
    writeFileSync(join(folder, 'face.webp'), Buffer.from(picture.slice(picture.indexOf(',') + 1), 'base64'));
    const place = {
      folder,
      programs: 'folder' in node ? [node.folder] : [],
      environment: { BASE_URL: baseUrl },
    };
    outcomes.set(
      generator,
      await tryGenerator(generator, place, 'missing' in node ? node.missing : undefined),
    );
  }
  report(outcomes);
} finally {
  service?.kill();
  rmSync(work, { recursive: true, force: true });
}

/** The folder of a Node that is new enough for all generators: this one, or one from the npm registry. */
async function newNode(): Promise<{ folder: string } | { missing: string } | object> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > NODE.major || (major === NODE.major && minor >= NODE.minor)) return {};
  const name = `node-${process.platform}-${process.arch}`;
  const folder = join(work, 'node');
  mkdirSync(folder);
  try {
    await run(
      { folder, programs: [] },
      'npm',
      'install',
      '--no-save',
      '--prefix',
      folder,
      `${name}@${NEW_NODE}`,
    );
    return { folder: join(folder, 'node_modules', name, 'bin') };
  } catch {
    return { missing: `It needs Node ${NODE.major}.${NODE.minor}, which the npm registry does not give.` };
  }
}

async function startService(): Promise<{ child: ChildProcess; baseUrl: string }> {
  const port = await freePort();
  const child = spawn(process.execPath, [fileURLToPath(builtFile('main.cjs'))], {
    env: {
      ...process.env,
      MODEL_NAME: 'synthetic',
      HOST: '127.0.0.1',
      PORT: String(port),
      LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const baseUrl = `http://127.0.0.1:${port}`;
  for (const end = Date.now() + START_MS; Date.now() < end; await sleep(200)) {
    if (child.exitCode !== null) break;
    const isReady = await fetch(`${baseUrl}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return { child, baseUrl };
  }
  child.kill();
  throw new Error('The service does not start.');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

async function tryGenerator(
  generator: Generator,
  place: Place,
  missingNode: string | undefined,
): Promise<Outcome> {
  try {
    await generator.install(place);
  } catch (error) {
    return { missing: errorMessage(error) };
  }
  const needsNode = existsSync(join(place.folder, 'package.json'));
  if (needsNode && missingNode !== undefined) return { missing: missingNode };
  try {
    await generator.build(place);
    const lines = (await generator.call(place)).trim().split('\n');
    const results = lines.map((line) => JSON.parse(line) as { name: string; failure?: string | null });
    return { calls: new Map(results.map(({ name, failure }) => [name, failure ?? undefined])) };
  } catch (error) {
    return { failure: errorMessage(error) };
  }
}

function report(outcomes: ReadonlyMap<Generator, Outcome>): void {
  const notes: string[] = [];
  const rows = [...outcomes].map(([{ name }, outcome]) => {
    if ('missing' in outcome) notes.push(`${name} cannot be had. ${outcome.missing}`);
    if ('failure' in outcome) notes.push(`${name}: ${outcome.failure}`);
    const cells = CALLS.map((call) => {
      if ('missing' in outcome) return 'cannot be had';
      if ('failure' in outcome) return 'no client';
      if (!outcome.calls.has(call)) return 'not made';
      const failure = outcome.calls.get(call);
      if (failure !== undefined) notes.push(`${name}, ${call}: ${failure}`);
      return failure === undefined ? 'ok' : 'FAILED';
    });
    return [name, ...cells];
  });
  const lines = [['generator', ...CALLS], ['---', ...CALLS.map(() => '---')], ...rows];
  console.log(lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n'));
  if (notes.length > 0) console.log(`\n${notes.join('\n\n')}`);
  const failed = rows.some((cells) =>
    cells.slice(1).some((cell) => cell !== 'ok' && cell !== 'cannot be had'),
  );
  process.exitCode = failed ? 1 : 0;
}
