import { spawnSync } from 'node:child_process';
import { build } from '../../tools/build.mjs';

/** Tests start the service, the tools and worker threads from compiled files: not every supported Node runs TypeScript. */
export default function compile(): void {
  build();
  // TRANSITION: build({ tools: true }) when everything compiles.
  spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.tools.json']);
}
