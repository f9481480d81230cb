import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Brings dist/ up to date. The compiler is incremental, so this costs little when nothing changed; where it is not
 * installed (a production image), what was built before is used.
 */
export function buildIfNeeded() {
  if (!existsSync(`${root}node_modules/typescript`)) return;
  const { status } = spawnSync(
    process.execPath,
    [`${root}node_modules/typescript/bin/tsc`, '-p', 'tsconfig.build.json'],
    { cwd: root, stdio: 'inherit' },
  );
  if (status !== 0) process.exit(1);
}
