import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { SETTINGS } from '../../src/config/settings.ts';
import { pathOf, read, readYaml } from './files.ts';

/** Checks the Dockerfile and the compose file without building; tools/verify-image.sh builds and runs the image. */

const HEALTH_CHECK = 'dist/cli/healthcheck.js';
const DEFAULTS = loadConfig({});

/** The instructions of the Dockerfile in order, without comments, with continued lines joined. */
const instructions = read('Dockerfile')
  .replace(/^#.*\n/gm, '')
  .replace(/\\\n/g, ' ')
  .split('\n')
  .map((line) => line.trim().replace(/\s+/g, ' '))
  .filter(Boolean);
const stages = instructions.reduce<string[][]>(
  (all, line) => {
    if (line.startsWith('FROM ')) all.push([]);
    all.at(-1)?.push(line);
    return all;
  },
  [[]],
);
const lastStage = stages.at(-1) as string[];

const argumentsOf = (stage: string[], instruction: string) =>
  stage
    .filter((line) => line.startsWith(`${instruction} `))
    .map((line) => line.slice(instruction.length + 1));

describe('Dockerfile', () => {
  it('starts every stage from one pinned version of the slim base', () => {
    const bases = argumentsOf(instructions, 'FROM').map((from) => from.split(' ')[0]);
    expect(argumentsOf(instructions, 'ARG')[0]).toMatch(/^NODE_VERSION=\d+\.\d+\.\d+$/);
    expect(new Set(bases.filter((base) => base?.includes(':')))).toEqual(
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Docker's own syntax.
      new Set(['node:${NODE_VERSION}-bookworm-slim']),
    );
  });

  it('copies .npmrc before every npm ci, so that no install script of a dependency runs', () => {
    const installing = stages.filter((stage) => stage.some((line) => line.startsWith('RUN npm ci')));
    expect(installing).toHaveLength(2);
    for (const stage of installing) {
      const copied = stage.findIndex((line) => line.startsWith('COPY ') && line.includes(' .npmrc '));
      const installed = stage.findIndex((line) => line.startsWith('RUN npm ci'));
      expect(copied).toBeGreaterThan(-1);
      expect(copied).toBeLessThan(installed);
    }
  });

  it('copies only files that .dockerignore lets in', () => {
    const allowed = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const sources = argumentsOf(instructions, 'COPY')
      .filter((copy) => !copy.includes('--from='))
      .flatMap((copy) => copy.split(' ').slice(0, -1));
    for (const source of sources) {
      expect(
        allowed.some((path) => path === source || path.startsWith(`${source}/`)),
        source,
      ).toBe(true);
    }
    for (const path of allowed) expect(existsSync(pathOf(path)), path).toBe(true);
    const [, buildScript] = /^node (\S+)$/.exec(JSON.parse(read('package.json')).scripts.build) ?? [];
    expect(allowed).toContain(buildScript);
    expect(sources).toContain(buildScript);
  });

  it('lets neither .env nor weights into the build', () => {
    const rules = read('.dockerignore')
      .split('\n')
      .filter((line) => line && !line.startsWith('#'));
    expect(rules[0]).toBe('*');
    expect(rules.filter((rule) => /^!(\.env|models$|models\/(?!synthetic$))/.test(rule))).toEqual([]);
  });

  it('puts only what was built and production dependencies into the last stage, and runs no shell', () => {
    expect(argumentsOf(lastStage, 'COPY')).toEqual([
      '--from=dependencies /app/node_modules ./node_modules',
      '--from=build /app/package.json ./',
      '--from=build /app/models ./models',
      '--from=build /app/dist ./dist',
      '--from=weights --chown=1000:1000 /models /models',
    ]);
    expect(argumentsOf(lastStage, 'RUN')).toEqual([]);
    expect(argumentsOf(lastStage, 'ENTRYPOINT')).toEqual(['[]']);
    expect(argumentsOf(lastStage, 'CMD')).toEqual(['["node", "dist/main.cjs"]']);
  });

  it('agrees with the service about port, models folder, signal and health check', () => {
    expect(argumentsOf(lastStage, 'EXPOSE')).toEqual([String(DEFAULTS.PORT)]);
    expect(argumentsOf(lastStage, 'ENV').join(' ')).toMatch(/(^| )NODE_ENV=production( |$)/);
    expect(argumentsOf(lastStage, 'ENV').join(' ')).toMatch(/(^| )MODELS_DIR=\/models( |$)/);
    expect(argumentsOf(lastStage, 'STOPSIGNAL')).toEqual(['SIGTERM']);
    expect(argumentsOf(lastStage, 'HEALTHCHECK')[0]).toContain(`CMD ["node", "${HEALTH_CHECK}"]`);
    expect(existsSync(pathOf(HEALTH_CHECK))).toBe(true);
  });

  it('disables the telemetry of ONNX Runtime', () => {
    expect(argumentsOf(lastStage, 'ENV').join(' ')).toMatch(/(^| )ORT_DISABLE_TELEMETRY=1( |$)/);
  });

  it('keeps libjpeg-turbo when it removes what would compile its binding', () => {
    const kept = instructions.find((line) => line.includes('npm uninstall --offline'));
    expect(kept).toContain('npm uninstall --offline --omit=dev @julusian/jpeg-turbo');
    const library = 'prebuilds/jpeg-turbo-linux-$(node -p process.arch)/libturbojpeg.so.0';
    expect(kept).toContain(library);
    for (const arch of ['x64', 'arm64']) {
      const file = library.replace('$(node -p process.arch)', arch);
      expect(existsSync(pathOf(`node_modules/@julusian/jpeg-turbo/${file}`)), file).toBe(true);
    }
  });

  it('runs as a numeric user, which runAsNonRoot of Kubernetes needs', () => {
    expect(argumentsOf(lastStage, 'USER')).toEqual(['1000:1000']);
  });
});

describe('docker-compose.yml', () => {
  const { services, volumes } = readYaml('docker-compose.yml');
  const service = services['face-embedding'];

  it('sets only variables that the service knows', () => {
    expect(Object.keys(SETTINGS)).toEqual(expect.arrayContaining(Object.keys(service.environment)));
  });

  it('publishes the port that the service listens on', () => {
    const port = `\${PORT:-${DEFAULTS.PORT}}`;
    expect(service.ports).toEqual([`${port}:${port}`]);
    expect(service.environment.PORT).toBe(port);
  });

  it('keeps the weights in a named volume', () => {
    expect(service.volumes).toEqual(['models:/models']);
    expect(service.environment.MODELS_DIR).toBe('/models');
    expect(volumes).toHaveProperty('models');
  });

  it('has the health check of the image', () => {
    const { test, interval, timeout, start_period, retries } = service.healthcheck;
    expect(argumentsOf(lastStage, 'HEALTHCHECK')).toEqual([
      `--interval=${interval} --timeout=${timeout} --start-period=${start_period} --retries=${retries} ` +
        `CMD ["${test.slice(1).join('", "')}"]`,
    ]);
    expect(test[0]).toBe('CMD');
  });

  it('leaves more time to stop than the service takes', () => {
    const grace = Number(/^(\d+)s$/.exec(service.stop_grace_period)?.[1]) * 1000;
    expect(grace).toBeGreaterThanOrEqual(DEFAULTS.SHUTDOWN_DELAY_MS + DEFAULTS.SHUTDOWN_GRACE_MS + 3000);
  });

  it('restricts capabilities, the file system and resources', () => {
    expect(service).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      deploy: { resources: { limits: { cpus: expect.any(String), memory: expect.any(String) } } },
    });
  });
});

describe('the health check', () => {
  /** Starts a stand-in for the service. */
  async function serve(listener: RequestListener): Promise<number> {
    const server = createServer(listener).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return (server.address() as AddressInfo).port;
  }

  const check = (environment: Record<string, string>) =>
    new Promise<{ code: number; output: string }>((resolve) => {
      const script = pathOf(HEALTH_CHECK);
      // A folder without a .env file.
      execFile(process.execPath, [script], { env: environment, cwd: tmpdir() }, (error, stdout) =>
        resolve({ code: error ? Number(error.code) : 0, output: stdout }),
      );
    });

  const answer =
    (status: number, body: object): RequestListener =>
    (request, response) => {
      response.statusCode = request.url === '/v1/health' ? status : 404;
      response.end(JSON.stringify(body));
    };

  it('ends with 0 when the service is healthy', async () => {
    const port = await serve(answer(200, { status: 'healthy' }));
    const result = await check({ PORT: String(port) });
    expect(result).toEqual({ code: 0, output: '200 {"status":"healthy"}\n' });
  });

  it('ends with 1 and the reason when it is not', async () => {
    const port = await serve(answer(503, { status: 'starting' }));
    const result = await check({ PORT: String(port) });
    expect(result).toEqual({ code: 1, output: '503 {"status":"starting"}\n' });
  });

  it('ends with 1 when nothing listens', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const result = await check({ PORT: String(port) });
    expect(result.code).toBe(1);
    expect(result.output).toContain('ECONNREFUSED');
  });

  it('ends with 1 when the service does not answer in time', async () => {
    const port = await serve(() => {});
    const result = await check({ PORT: String(port) });
    expect(result.code).toBe(1);
    expect(result.output).toMatch(/^No answer: /);
  });

  it('uses API_PREFIX and HOST, and ignores proxy settings', async () => {
    const port = await serve((request, response) => {
      response.statusCode = request.url === '/api/v1/health' ? 200 : 404;
      response.end();
    });
    const environment = {
      PORT: String(port),
      HTTP_PROXY: 'http://127.0.0.1:9',
      NODE_USE_ENV_PROXY: '1',
    };
    expect((await check({ ...environment, API_PREFIX: '/api/', HOST: '127.0.0.1' })).code).toBe(0);
    expect((await check({ ...environment, HOST: '0.0.0.0' })).code).toBe(1);
  });
});
