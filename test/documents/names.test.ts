import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { SETTINGS } from '../../src/config/settings.ts';
import { ERROR_CATALOGUE } from '../../src/errors.ts';
import { downloadBytes } from '../../src/packs/catalogue/published-pack.ts';
import { CATALOGUE } from '../../src/packs/catalogue.ts';
import { LIVENESS_REASONS } from '../../src/vision/liveness/network-input.ts';
import { REASON_CODES } from '../../src/vision/quality/quality-gate.ts';
import { ROOT } from '../support/shared.ts';
import { codeOf, DOCUMENTS, readDocument } from './documents.ts';

/** Names in capitals that are neither settings nor error codes. */
const OTHER_NAMES = [
  ...['BALANCER_PORT', 'BAKE_MODEL', 'BENCH_PYTHON', 'CALIBRATE_API_KEY', 'REQUIRE_SHARED'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'LD_LIBRARY_PATH', 'PATH', 'PWD'],
  ...['NVIDIA_DRIVER_CAPABILITIES'],
  ...['MALLOC_ARENA_MAX', 'MALLOC_MMAP_THRESHOLD_', 'MALLOC_TRIM_THRESHOLD_'],
  ...['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_SERVICE_NAME', 'OTEL_TRACES_SAMPLER'],
  ...[
    'SOAK_SEED',
    'SOAK_PICTURES',
    'SOAK_BODIES',
    'SOAK_FIRST',
    'SOAK_MINUTES',
    'SOAK_FUZZ_MINUTES',
    'SOAK_EXAMPLES',
  ],
  ...[
    'SOAK_JPEGS',
    'SOAK_PHOTOGRAPHS',
    'SOAK_REPORT',
    'SOAK_VENV',
    'SOAK_ARM64',
    'PROPERTY_SEED',
    'PROPERTY_RUNS',
  ],
  ...Object.values(REASON_CODES),
  // Codes of the clients' own errors.
  ...['TIMEOUT', 'CONNECTION_FAILED', 'UNEXPECTED_ANSWER', 'UNREADABLE_IMAGE'],
  ...['MODEL', 'LICENSE', 'FILE', 'GET', 'HEAD', 'POST', 'JSON', 'SIGTERM', 'SIGINT', 'CATALOGUE', 'PASSES'],
];

const { scripts, version, license } = JSON.parse(readDocument('package.json'));

describe.each(DOCUMENTS)('%s', (path) => {
  const code = codeOf(path);

  it('names only settings, error codes and variables that exist', () => {
    const codes = [...Object.keys(ERROR_CATALOGUE), ...LIVENESS_REASONS];
    const known = new Set([...Object.keys(SETTINGS), ...codes, ...OTHER_NAMES]);
    const named = code.flatMap((text) => text.match(/(?<![\w./:-])[A-Z][A-Z0-9_]{2,}(?![\w:-])/g) ?? []);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it('names only npm scripts that exist', () => {
    const named = [...readDocument(path).matchAll(/npm (?:run ([a-z:]+)|(start|test)\b)/g)];
    for (const [, script, builtIn] of named) expect(scripts).toHaveProperty([script ?? (builtIn as string)]);
  });

  it('names only files of the repository that exist', () => {
    const pattern =
      /(?<![\w/.$}-])(?:src|test|tools|bench|study|deploy|docs|dist|build|models\/synthetic)\/[\w./*-]+/g;
    const named = code.flatMap((text) => text.match(pattern) ?? []).filter((name) => !/\*|\/\./.test(name));
    expect(named.filter((name) => !existsSync(join(ROOT, sourceOf(name))))).toEqual([]);
  });
});

/** What a compiled file is compiled from: dist/main.cjs is src/main.cts, build/bench/run.js is bench/run.ts. */
function sourceOf(name: string): string {
  const compiled = /^(dist|build)\/(.+)\.(c?)js$/.exec(name);
  if (!compiled) return name.replace(/[.]$/, '');
  return `${compiled[1] === 'dist' ? 'src/' : ''}${compiled[2]}.${compiled[3]}ts`;
}

describe('README.md', () => {
  const readme = readDocument('README.md');

  it('has at most 200 lines', () => {
    expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(200);
  });

  it('states the licence of the weights before the command that downloads them', () => {
    expect(readme.indexOf('non-commercial')).toBeGreaterThan(0);
    expect(readme.indexOf('non-commercial')).toBeLessThan(readme.indexOf('npm start'));
  });

  it('names the default pack with the size of its download', () => {
    const pack = CATALOGUE.get(loadConfig({}).MODEL_NAME);
    const size = `${Math.round((pack ? downloadBytes(pack) : 0) / 1e6)} MB`;
    expect(readme).toContain(`\`${pack?.name}\` (${size})`);
  });
});

describe('docs/OPERATIONS.md', () => {
  it('quotes log messages as the service writes them', () => {
    const quoted = [...readDocument('docs/OPERATIONS.md').matchAll(/\blogs?(?: for)?\s+"([^"]+)"/g)];
    expect(quoted.length).toBeGreaterThan(0);
    const source = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(ROOT, 'src', name), 'utf8'))
      .join();
    for (const [, message] of quoted) expect(source).toContain(message);
  });
});

it('CHANGELOG.md has a section for the version of package.json', () => {
  expect(readDocument('CHANGELOG.md')).toMatch(
    new RegExp(`^## \\[${version}\\] - \\d{4}-\\d{2}-\\d{2}$`, 'm'),
  );
});

it('LICENSE is the licence that package.json names', () => {
  expect(license).toBe('MIT');
  expect(readDocument('LICENSE')).toMatch(/^MIT License\n/);
});
