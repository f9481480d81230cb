import type { Page, Request } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { ServiceProcess } from '../../support/processes/service-process.ts';

/* What a person does on the page at `/`. */

export const PHONE = { hasTouch: true, isMobile: true, deviceScaleFactor: 2 };

/**
 * Runs the built service for the tests of a `describe`; with the synthetic pack unless the environment says otherwise.
 *
 * @returns an object whose `address`, that of the page, is there before the first test.
 */
export function useService(environment: Record<string, string> = {}): { address: string } {
  const site = { address: '' };
  let service: ServiceProcess | undefined;
  beforeAll(async () => {
    service = new ServiceProcess(environment);
    site.address = `${await service.ready()}/`;
  });
  afterAll(() => service?.end());
  return site;
}

/** The pictures in the page. */
export const cards = (page: Page) => page.locator('#pictures > li');

export const choose = (page: Page, name: string, buffer: Buffer | Uint8Array, mimeType = '') =>
  page.setInputFiles('#files', { name, mimeType: mimeType || typeOf(name), buffer: Buffer.from(buffer) });

const typeOf = (name: string) => (name.endsWith('.txt') ? 'text/plain' : 'image/png');

/** Waits until so many pictures are there, and none on its way. */
export async function answered(page: Page, count: number): Promise<void> {
  await expect.poll(() => cards(page).count()).toBe(count);
  await expect.poll(() => page.locator('[data-phase=waiting]').count()).toBe(0);
}

/** Adds the sample pictures and waits for their comparison. */
export async function compareSamples(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Use sample pictures' }).click();
  await page.locator('#matches li').nth(1).waitFor();
}

/** What the comparison says, as `✓ Match A and B`. */
export const verdicts = async (page: Page) =>
  (await page.locator('#matches li p:first-child').allInnerTexts()).map((text) => text.trim());

/** Counts the photographs that are under way. */
export function watchFlights(page: Page) {
  const flights = { now: 0, most: 0, begun: 0, done: 0 };
  const isEmbed = (request: Request) => request.url().includes('/v1/embed');
  page.on('request', (request) => {
    if (!isEmbed(request)) return;
    flights.now += 1;
    flights.begun += 1;
    flights.most = Math.max(flights.most, flights.now);
  });
  const end = (request: Request) => {
    if (!isEmbed(request)) return;
    flights.now -= 1;
    flights.done += 1;
  };
  page.on('requestfinished', end);
  page.on('requestfailed', end);
  return flights;
}
