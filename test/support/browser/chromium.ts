import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { afterAll } from 'vitest';

/** Where Chromium may be: where CHROMIUM_PATH says, where Debian installs it, and where Google's packages do. */
const PROGRAMS = [
  process.env.CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const program = PROGRAMS.find((path) => path && existsSync(path));
if (process.env.CHROMIUM_PATH && program !== process.env.CHROMIUM_PATH) {
  throw new Error(`CHROMIUM_PATH is set, but ${process.env.CHROMIUM_PATH} does not exist.`);
}
if (program === undefined) {
  console.warn('Chromium is not installed: the tests of the pages are skipped (apt-get install chromium)');
}

/** Whether there is a browser; `describe.skipIf(!hasChromium)`. */
export const hasChromium = program !== undefined;

/** Answers every question for a camera with a test pattern, which shows no face. */
const FAKE_CAMERA = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];

let started: Promise<Browser> | undefined;

/** The browser of this file of tests, started with the first call and closed after the last test. */
export function theBrowser(): Promise<Browser> {
  started ??= chromium.launch({
    ...(program && { executablePath: program }),
    // Debian's Chromium writes to /dev/shm, which is small in containers.
    args: [...FAKE_CAMERA, '--disable-dev-shm-usage'],
  });
  return started;
}

afterAll(async () => (await started)?.close());
