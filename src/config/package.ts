import { existsSync, readFileSync } from 'node:fs';

/** The folder of package.json, wherever the compiled files lie below it: in src/, dist/ or build/. */
export const PACKAGE_ROOT: URL = findPackageRoot(new URL('./', import.meta.url));

/** The service's own version. */
export const VERSION: string = JSON.parse(
  readFileSync(new URL('package.json', PACKAGE_ROOT), 'utf8'),
).version;

/**
 * A compiled file of the service, named relative to dist/. Worker threads need one: supported Node versions do not all run
 * TypeScript, and the caller may be running from src/ (in tests), from dist/ or from build/.
 */
export function builtFile(path: string): URL {
  return new URL(`dist/${path}`, PACKAGE_ROOT);
}

function findPackageRoot(folder: URL): URL {
  if (existsSync(new URL('package.json', folder))) return folder;
  return findPackageRoot(new URL('../', folder));
}
