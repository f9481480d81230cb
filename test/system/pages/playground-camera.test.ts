import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { accessibilityProblems } from '../../support/browser/accessibility.ts';
import { hasChromium } from '../../support/browser/chromium.ts';
import { openTab, screenshot } from '../../support/browser/tab.ts';
import { answered, cards, useService, watchFlights } from './playground-steps.ts';

/** The page's camera, with Chromium's test pattern in place of one. */
describe.skipIf(!hasChromium)('the camera of the page', () => {
  const site = useService();

  it('sends a frame when the one before it has been answered, and none when it is stopped', async () => {
    const { page } = await openTab(site.address);
    const flights = watchFlights(page);
    // A slow network: a page that did not wait would have several under way.
    await page.route('**/v1/embed?*', async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      await route.continue();
    });
    await start(page);
    await expect.poll(() => flights.done).toBeGreaterThan(8);
    // A photograph takes its turn among the frames.
    await page.getByRole('button', { name: 'Take photograph' }).click();
    await answered(page, 1);
    expect(await cards(page).innerText()).toContain('photograph-1.jpg');
    expect(flights.most).toBe(1);
    await page.getByRole('button', { name: 'Stop the camera' }).click();
    await expect.poll(() => flights.now).toBe(0);
    const { begun } = flights;
    await page.waitForTimeout(300);
    expect(flights.begun).toBe(begun);
    expect(await page.evaluate('document.getElementById("video").srcObject')).toBeNull();
  });

  it('draws what was found over the picture, in nothing that axe finds', async () => {
    const { page } = await openTab(site.address);
    await start(page);
    // The synthetic pack finds its face in any pattern.
    await page.locator('#camera-overlay rect').waitFor();
    await expect
      .poll(() => page.locator('#camera-pace').innerText())
      .toMatch(/Answered in .* frames a second/);
    await expect.poll(() => page.locator('#live').textContent()).toContain('A face is seen');
    expect(await accessibilityProblems(page)).toEqual([]);
    await screenshot(page, 'camera');
  });

  it('waits as long as the service asks', async () => {
    const { page } = await openTab(site.address);
    const times: number[] = [];
    await page.route('**/v1/embed?*', async (route) => {
      times.push(performance.now());
      if (times.length > 1) return route.continue();
      const body = { error: 'The service is at its capacity.', error_code: 'OVERLOADED', request_id: 'x' };
      await route.fulfill({ status: 503, headers: { 'Retry-After': '1' }, json: body });
    });
    await start(page);
    await expect.poll(() => page.locator('#camera-pace').innerText()).toContain('asks to wait 1 s');
    expect(await page.locator('#camera-result').innerText()).toContain('OVERLOADED');
    await page.locator('#camera-overlay rect').waitFor();
    const [refused = 0, next = 0] = times;
    expect(next - refused).toBeGreaterThanOrEqual(1_000);
  });

  it('says so where the camera is not allowed', async () => {
    const { page } = await openTab(site.address);
    await page.evaluate(
      `navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError'))`,
    );
    await page.getByRole('button', { name: 'Use the camera' }).click();
    await expect.poll(() => page.locator('#trouble').innerText()).toContain('was not allowed');
  });

  it('stops when the camera is pulled out', async () => {
    const { page } = await openTab(site.address);
    await start(page);
    await page.locator('#camera-overlay rect').waitFor();
    await page.evaluate(
      `document.getElementById('video').srcObject.getTracks()[0].dispatchEvent(new Event('ended'))`,
    );
    await expect.poll(() => page.locator('#trouble').innerText()).toContain('The camera has gone');
    expect(await page.locator('#camera').isVisible()).toBe(false);
  });
});

const start = (page: Page) => page.getByRole('button', { name: 'Use the camera' }).click();
