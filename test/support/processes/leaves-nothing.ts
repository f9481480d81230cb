import { afterAll, beforeAll, expect, vi } from 'vitest';

/**
 * For files that share a process: fails a file that leaves the process otherwise than it was, as that could change what the next
 * file sees. What modules keep is not looked at; libraries keep theirs also under symbols of the global object.
 */
const state = () => ({
  folder: process.cwd(),
  // libvips sets its own, once.
  environment: Object.entries(process.env).filter(([name]) => !name.startsWith('VIPS')),
  globals: Object.getOwnPropertyNames(globalThis).sort(),
  fetch: globalThis.fetch,
  setTimeout: globalThis.setTimeout,
  hasFakeTimers: vi.isFakeTimers(),
});

let before: ReturnType<typeof state>;

beforeAll(() => {
  before = state();
});
afterAll(() => {
  expect(state()).toEqual(before);
});
