import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PACKAGE_ROOT } from '../../src/config/package.ts';
import { type Place, run } from './command.ts';

const SOURCES = fileURLToPath(new URL('test/generated-clients/', PACKAGE_ROOT));

/** A generator of clients. Each step throws CommandFailed. */
export interface Generator {
  name: string;
  /** Brings the generator from its registry. */
  install: (place: Place) => Promise<unknown>;
  /** Generates the client and compiles the calls. */
  build: (place: Place) => Promise<unknown>;
  /** @returns a line of JSON for each call. */
  call: (place: Place) => Promise<string>;
}

/** @param folder of test/generated-clients, with a package.json that says what to install and how to generate. */
function typescript(name: string, folder: string): Generator {
  return {
    name,
    install(place) {
      copy(`${folder}/package.json`, place, 'package.json');
      return run(
        place,
        'npm',
        'install',
        '--loglevel=error',
        '--no-audit',
        '--no-fund',
        '--ignore-scripts',
        '--no-package-lock',
      );
    },
    async build(place) {
      mkdirSync(join(place.folder, 'src'));
      copy('tsconfig.json', place, 'tsconfig.json');
      copy('make-calls.ts', place, 'src/make-calls.ts');
      copy(folder, place, '.');
      await run(place, 'npm', 'run', 'generate');
      copy(`${folder}/calls.ts`, place, 'src/calls.ts');
      await run(place, 'npm', 'run', 'build');
    },
    call: (place) => run(place, 'node', 'dist/calls.js'),
  };
}

const python: Generator = {
  name: 'openapi-python-client',
  async install(place) {
    await run(place, 'python3', '-m', 'venv', 'venv');
    copy('python', place, '.');
    await run(
      place,
      'venv/bin/pip',
      'install',
      '-q',
      '--disable-pip-version-check',
      '-r',
      'requirements.txt',
    );
  },
  async build(place) {
    const programs = [join(place.folder, 'venv/bin'), ...place.programs];
    const output = 'face_embedding_service_client';
    const options = ['--path', 'openapi.json', '--meta', 'none', '--output-path', output];
    // It formats what it has generated with a program of its own environment.
    await run({ ...place, programs }, 'openapi-python-client', 'generate', ...options);
    // Errors of our calls, not of the part of the client that is the same for every document.
    await run(place, 'venv/bin/mypy', '--strict', '--follow-imports=silent', 'calls.py');
  },
  call: (place) => run(place, 'venv/bin/python', '-B', 'calls.py'),
};

export const GENERATORS: readonly Generator[] = [
  typescript('openapi-typescript, openapi-fetch', 'openapi-fetch'),
  typescript('@hey-api/openapi-ts', 'hey-api'),
  typescript('orval', 'orval'),
  python,
];

function copy(source: string, { folder }: Place, target: string): void {
  cpSync(join(SOURCES, source), join(folder, target), { recursive: true });
}
