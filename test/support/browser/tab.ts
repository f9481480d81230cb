import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, BrowserContextOptions, ConsoleMessage, Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { theBrowser } from './chromium.ts';

/** A tab of a browser session of its own, without anything that another test has left. */
export interface Tab {
  page: Page;
  context: BrowserContext;
  /** What has gone wrong so far: console errors, violations of the CSP, page errors, other origins, assets that are refused. */
  problems: string[];
}

export interface TabOptions extends BrowserContextOptions {
  /** Whether the test expects problems, and looks at them itself. */
  mayFail?: boolean;
}

/** Chromium's own line about an answer that is no success. A call of the API may be refused; an asset may not, see `watch`. */
const REFUSED = 'Failed to load resource: the server responded with a status of';

/** The schemes of addresses that lead to no other machine. */
const LOCAL = ['data:', 'blob:', 'about:'];

/**
 * Opens a page of the service. At the end of the test it is closed, and the test fails if anything has gone wrong in it.
 *
 * @param address of the page; its origin is the only one that the page may ask.
 * @param options those of a browser context: `colorScheme`, `viewport`, `extraHTTPHeaders`, …
 */
export async function openTab(
  address: string,
  { mayFail = false, ...options }: TabOptions = {},
): Promise<Tab> {
  const browser = await theBrowser();
  const context = await browser.newContext(options);
  const problems: string[] = [];
  onTestFinished(async () => {
    await context.close();
    if (!mayFail) expect(problems).toEqual([]);
  });
  await watch(context, new URL(address).origin, problems);
  const page = await context.newPage();
  await page.goto(address);
  return { page, context, problems };
}

async function watch(context: BrowserContext, origin: string, problems: string[]): Promise<void> {
  // A policy that only blocks, without a line in the console, would pass otherwise.
  await context.addInitScript(
    `addEventListener('securitypolicyviolation', (event) =>
       console.error('CSP: ' + event.violatedDirective + ' ' + event.blockedURI))`,
  );
  context.on('console', (message: ConsoleMessage) => {
    if (message.type() !== 'error' || message.text().startsWith(REFUSED)) return;
    problems.push(`console: ${message.text()}`);
  });
  context.on('weberror', (error) => problems.push(`page error: ${error.error()}`));
  context.on('request', (request) => {
    const url = new URL(request.url());
    if (url.origin !== origin && !LOCAL.includes(url.protocol))
      problems.push(`other origin: ${request.url()}`);
  });
  context.on('response', (response) => {
    if (response.status() < 400 || ['fetch', 'xhr'].includes(response.request().resourceType())) return;
    problems.push(`${response.status()}: ${response.url()}`);
  });
}

let folder: string | undefined;

/** Writes a screenshot of the whole page to SCREENSHOTS_DIR, or to a new temporary folder. @returns its path. */
export async function screenshot(page: Page, name: string): Promise<string> {
  folder ??= process.env.SCREENSHOTS_DIR ?? mkdtempSync(join(tmpdir(), 'screenshots-'));
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name}.png`);
  await page.screenshot({ path, fullPage: true });
  return path;
}
