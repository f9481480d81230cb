/**
 * A compiled file of this project, named relative to dist/. Worker threads need one: they do not run TypeScript on every
 * supported Node, and this module itself may be running from src/ (under the tests) or from dist/.
 */
export function builtFile(path: string): URL {
  return new URL(`../dist/${path}`, import.meta.url);
}
